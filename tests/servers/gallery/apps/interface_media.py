"""Tools that draw or speak: a `gr.ChatInterface` whose function returns a component."""

import tempfile
import wave
from pathlib import Path

import gradio as gr
from model import MESSAGES, answer
from PIL import Image

FOLDER = Path(tempfile.mkdtemp())
PICTURE, SOUND, TEXT = (str(FOLDER / name) for name in ("red.png", "still.wav", "notes.txt"))
Image.new("RGB", (8, 8), "red").save(PICTURE)
Path(TEXT).write_text("noted")
with wave.open(SOUND, "wb") as sound:
    sound.setparams((1, 2, 8000, 0, "NONE", ""))
    sound.writeframes(bytes(800))


def respond(message, history):
    text = answer(message, history)
    if "picture" in message:
        return gr.Image(PICTURE)
    if "sound" in message:
        return gr.Audio(SOUND)
    if "file" in message:
        return gr.File(TEXT)
    return gr.Gallery([PICTURE, PICTURE]) if "gallery" in message else text


demo = gr.ChatInterface(respond, **MESSAGES)

if __name__ == "__main__":
    demo.launch()
