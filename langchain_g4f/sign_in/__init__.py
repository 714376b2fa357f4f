"""Sign-in: get a login once, from a browser, a file or a token, and save it for later programs."""

from langchain_g4f.sign_in.accounts import Account, alogin, awhoami, login, logout, whoami

__all__ = ["Account", "alogin", "awhoami", "login", "logout", "whoami"]
