"""Facts out of a text, as objects.

    python examples/structured_extraction.py < letter.txt

Whom it asks and as whom: HUGGINGCHAT_BASE_URL and HUGGINGCHAT_COOKIES.
"""

from __future__ import annotations

import sys
from datetime import date

from pydantic import BaseModel, Field

from langchain_g4f import ChatHuggingChat


class Item(BaseModel):
    """Something that is paid for."""

    what: str
    euros: float = Field(ge=0)


class Invoice(BaseModel):
    """What a letter asks to be paid."""

    sender: str
    due: date
    items: list[Item]


def main() -> None:
    # A tool call is asked for; tool_retries asks once more if the answer is none.
    model = ChatHuggingChat(tool_retries=1).with_structured_output(Invoice, include_raw=True)
    found = model.invoke(f"Read this letter.\n\n{sys.stdin.read()}")
    invoice = found["parsed"]
    if not isinstance(invoice, Invoice):
        # Nothing is made up: what the model said instead is there to be looked at.
        sys.exit(f"no invoice: {found['parsing_error'] or found['raw'].text}")
    for item in invoice.items:
        print(f"{item.euros:10.2f}  {item.what}")
    total = sum(item.euros for item in invoice.items)
    print(f"{total:10.2f}  to {invoice.sender} by {invoice.due}")


if __name__ == "__main__":
    main()
