"""GradioUI of smolagents: a state for the task, an agent's steps with titles, a locked button."""

import gradio as gr
from model import MESSAGES, reply


def log_user_message(text, uploads):
    return text, "", gr.Button(interactive=False)


def interact_with_agent(prompt, messages, session_state):
    agent = session_state.setdefault("agent", [])
    messages.append(gr.ChatMessage(role="user", content=prompt))
    yield messages
    step = {"title": "Step 1", "status": "done"}
    thought = "I look at the question."
    messages.append(gr.ChatMessage(role="assistant", content=thought, metadata=step))
    yield messages
    messages.append(gr.ChatMessage(role="assistant", content=""))
    for text in reply(prompt, agent):
        messages[-1].content = text
        yield messages
    agent.append((prompt, text))
    yield messages


with gr.Blocks(fill_height=True) as demo:
    session_state, stored_messages = gr.State({}), gr.State([])
    file_uploads_log = gr.State([])
    with gr.Sidebar() if hasattr(gr, "Sidebar") else gr.Column():
        text_input = gr.Textbox(lines=3, label="Chat Message", container=False)
        submit_btn = gr.Button("Submit", variant="primary")
    chatbot = gr.Chatbot(label="Agent", **MESSAGES)
    for event in (text_input.submit, submit_btn.click):
        event(
            log_user_message,
            [text_input, file_uploads_log],
            [stored_messages, text_input, submit_btn],
        ).then(interact_with_agent, [stored_messages, chatbot, session_state], [chatbot]).then(
            lambda: gr.Button(interactive=True), None, [submit_btn]
        )

if __name__ == "__main__":
    demo.launch()
