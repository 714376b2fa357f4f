"""A supervisor and two workers, one of which can see images.

    python examples/supervisor.py pictures/ "Write a caption for cat.png."

The supervisor is a model of HuggingChat that gets no images. It asks Phi-4 what is in a picture,
and an editor, which is another conversation with HuggingChat, to improve the text.

Servers and account: HUGGINGCHAT_BASE_URL, HUGGINGCHAT_COOKIES and PHI4_BASE_URL. Needs langchain.
"""

from __future__ import annotations

import sys
from pathlib import Path

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import BaseTool, tool

from langchain_g4f import ChatHuggingChat, ChatMicrosoftPhi4

SUPERVISOR = "You lead a small team. Let it look and let it polish, then give the result alone."
EDITOR = SystemMessage("You are an editor. Give the text you are sent in better words, no more.")


def workers(folder: Path) -> list[BaseTool]:
    eyes, editor = ChatMicrosoftPhi4(), ChatHuggingChat()
    # The model chooses from the names in one folder, so it cannot send other files of this machine.
    pictures = {path.name: path for path in folder.glob("*.png")}

    @tool
    def look(picture: str, question: str) -> str:
        """Answer a question about a picture, given by its name."""
        if picture not in pictures:
            return f"There is no such picture, only {', '.join(sorted(pictures))}."
        return str(eyes.invoke(question, media=[pictures[picture]]).text)

    @tool
    def polish(text: str) -> str:
        """Improve a text."""
        return str(editor.invoke([EDITOR, HumanMessage(text)]).text)

    return [look, polish]


def main(folder: str, task: str) -> None:
    agent = create_agent(ChatHuggingChat(), workers(Path(folder)), system_prompt=SUPERVISOR)
    state = agent.invoke({"messages": [HumanMessage(task)]})
    print(state["messages"][-1].text)


if __name__ == "__main__":
    main(*sys.argv[1:])
