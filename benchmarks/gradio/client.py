"""Measures gradio_client: runs in the environment that has it, without this package.

Each line on standard input is a prompt; each line on standard output is the answer with its times,
measured in this process.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from importlib.metadata import version
from typing import Any

from gradio_client import Client  # type: ignore[import-not-found] # another environment has it


def turn(client: Client, prompt: str) -> dict[str, Any]:
    """Ask the app as its web page does, and read every output."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    first = 0.0
    message = {"text": prompt, "files": []}
    history, _ = client.predict([], message, api_name="/add_message")
    for output in client.submit(history, api_name="/respond"):
        first = first or time.perf_counter() - wall
        history = output
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    content = history[-1]["content"]
    text = content if isinstance(content, str) else "".join(part["text"] for part in content)
    return {"text": text, "first_ms": 1e3 * first, "wall_ms": 1e3 * wall, "cpu_ms": 1e3 * cpu}


def main() -> None:
    client = Client(sys.argv[1], verbose=False)
    print(json.dumps(version("gradio_client")), flush=True)
    for line in sys.stdin:
        print(json.dumps(turn(client, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
