"""An agent with two tools, on a service without tool calling.

    python examples/agent_with_tools.py "What are 250 dollars in euros?"

Server and account: HUGGINGCHAT_BASE_URL and HUGGINGCHAT_COOKIES. Needs langchain.
"""

from __future__ import annotations

import sys

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import ToolException, tool

from langchain_g4f import ChatHuggingChat

RATES = {"EUR": 0.9, "JPY": 150.0}


@tool
def exchange_rate(currency: str) -> float:
    """Get the value of one US dollar in another currency, given by its code, such as EUR."""
    if currency not in RATES:
        msg = f"there is no rate for {currency}, only for {', '.join(RATES)}"
        raise ToolException(msg)
    return RATES[currency]


exchange_rate.handle_tool_error = True  # the model sees the error, and may try another code


@tool
def multiply(a: float, b: float) -> float:
    """Multiply two numbers."""
    return a * b


def main(question: str = "What are 250 dollars in euros?") -> None:
    agent = create_agent(ChatHuggingChat(), [exchange_rate, multiply])
    state = agent.invoke({"messages": [HumanMessage(question)]})
    for message in state["messages"]:
        match message:
            case AIMessage(tool_calls=[_, *_]):
                for call in message.tool_calls:
                    print("calls", call["name"], call["args"])
            case ToolMessage():
                print("gets", message.text)
            case AIMessage():
                print(message.text)


if __name__ == "__main__":
    main(*sys.argv[1:])
