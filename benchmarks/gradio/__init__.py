"""The benchmark of Gradio apps: `python -m benchmarks.gradio`."""
