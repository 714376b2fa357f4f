"""The environment variables of a sandbox server: no telemetry, no account, no way out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

# What configures Gradio or names an account, a Space or a proxy would change the server, or be used
# by it: its own check that it is up goes through a proxy if one is set.
_DROPPED_PREFIXES = ("GRADIO_", "HF_", "HUGGINGFACE_", "HUGGING_FACE_", "SPACE_")
_DROPPED = ("ALL_PROXY", "FTP_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "SYSTEM")


def server_environment(
    outside: Mapping[str, str], apps: Path, folder: Path, uploads: Path
) -> dict[str, str]:
    """Return the environment of a server.

    Args:
        outside: The environment of this process.
        apps: The folder that holds the package `apps`.
        folder: A folder the server may fill.
        uploads: Where it puts what is uploaded.
    """
    kept = {
        name: value
        for name, value in outside.items()
        if name.upper() not in _DROPPED and not name.upper().startswith(_DROPPED_PREFIXES)
    }
    path = outside.get("PYTHONPATH")
    return {
        **kept,
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_SSR_MODE": "False",
        "GRADIO_SHARE": "False",
        "GRADIO_TEMP_DIR": str(uploads),
        "HF_HOME": str(folder / "hf"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONPATH": os.pathsep.join([str(apps), path] if path else [str(apps)]),
        "PYTHONUNBUFFERED": "1",
    }
