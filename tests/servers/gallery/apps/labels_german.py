"""A `gr.ChatInterface` with German labels; `elem_id` or the placeholder says what an input is."""

import gradio as gr
from model import reply


def antworten(nachricht, verlauf, anweisung, waerme):
    yield from reply(nachricht, verlauf, system=anweisung, temperature=waerme)


demo = gr.ChatInterface(
    antworten,
    title="Gespräch",
    additional_inputs=[
        gr.Textbox(label="Anweisung", placeholder="System prompt", value="Sei freundlich."),
        gr.Slider(0, 1, value=0.5, label="Wärme", elem_id="temperature"),
    ],
)

if __name__ == "__main__":
    demo.launch()
