"""`python -m langchain_g4f` is `langchain-g4f`."""

from __future__ import annotations

from langchain_g4f.cli import main

if __name__ == "__main__":
    main()
