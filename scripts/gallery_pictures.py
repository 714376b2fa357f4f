"""Take the pictures of docs/providers/gradio-space.md from apps of the gallery, with Chromium.

    python -m scripts.gallery_pictures [APP ...]    # APP: of the gallery; without it, all

The apps run on the newest Gradio of the gallery: `make test-servers` makes its environment.
Two of them need fonts with Chinese letters and emoji.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from tests.servers.gallery.gallery import ROOT, VERSIONS, Server

IMAGES = ROOT / "docs" / "images"
WIDTH, COLOURS, TIMEOUT_S = 640, 64, 60
HEIGHTS = {
    "interface_plain": 720,
    "interface_template": 720,
    "interface_multimodal": 720,
    "blocks_pair": 560,
    "qwen_web_demo": 640,
    "session_memory": 590,
    "image_beside": 540,
    "qwen_upload": 980,
    "function_markdown": 460,
    "interface_login": 400,
    "two_chats": 580,
}
"""Height of each page in pixels: without the footer, and without empty space."""


def take(chromium: str, app: str) -> Path:
    """Write the picture of an app's page; return its path."""
    picture = IMAGES / f"gradio-{app.replace('_', '-')}.png"
    with TemporaryDirectory() as folder, Server(VERSIONS[-1], app, Path(folder)) as server:
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--user-data-dir={folder}/browser", "--proxy-server=direct://"]
        # a clock that runs ahead: the page is drawn by scripts
        command += [f"--window-size={WIDTH},{HEIGHTS[app]}", "--virtual-time-budget=15000"]
        command += [f"--screenshot={picture}", f"{server.base_url}/?__theme=light"]
        subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_S)
    with Image.open(picture) as image:
        image.convert("RGB").quantize(COLOURS).save(picture, optimize=True)
    return picture


def main() -> None:
    """Take the pictures that the arguments name."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no chromium on the PATH: `make chromium` installs it")
    IMAGES.mkdir(exist_ok=True)
    for app in sys.argv[1:] or HEIGHTS:
        picture = take(chromium, app)
        print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size} bytes")


if __name__ == "__main__":
    main()
