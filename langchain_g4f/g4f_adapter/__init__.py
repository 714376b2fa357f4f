"""Runs provider classes with the interface of g4f. Nothing of g4f is needed or imported."""
