"""`langchain-g4f doctor`: which providers answer today, and what is wrong with the others."""

from langchain_g4f.cli.doctor.command import doctor

__all__ = ["doctor"]
