"""Extract facts from a text, as objects.

    python examples/structured_extraction.py < letter.txt

Server and account: HUGGINGCHAT_BASE_URL and HUGGINGCHAT_COOKIES.
"""

from __future__ import annotations

import sys
from datetime import date

from pydantic import BaseModel, Field

from langchain_g4f import ChatHuggingChat


class Item(BaseModel):
    """One item on the invoice."""

    what: str
    euros: float = Field(ge=0)


class Invoice(BaseModel):
    """The payment that a letter asks for."""

    sender: str
    due: date
    items: list[Item]


def main() -> None:
    # The model is asked for a tool call, and asked once more if its answer has none.
    model = ChatHuggingChat(tool_retries=1).with_structured_output(Invoice, include_raw=True)
    found = model.invoke(f"Read this letter.\n\n{sys.stdin.read()}")
    invoice = found["parsed"]
    if not isinstance(invoice, Invoice):
        # A missing answer is never invented: `raw` has what the model said instead.
        sys.exit(f"no invoice: {found['parsing_error'] or found['raw'].text}")
    for item in invoice.items:
        print(f"{item.euros:10.2f}  {item.what}")
    total = sum(item.euros for item in invoice.items)
    print(f"{total:10.2f}  to {invoice.sender} by {invoice.due}")


if __name__ == "__main__":
    main()
