"""Sign-in: a session is got once, from a browser or a file, and kept for later programs."""

from langchain_g4f.sign_in.accounts import Account, alogin, awhoami, login, logout, whoami

__all__ = ["Account", "alogin", "awhoami", "login", "logout", "whoami"]
