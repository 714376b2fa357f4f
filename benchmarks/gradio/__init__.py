"""What the table of Gradio is made with: `python -m benchmarks.gradio`."""
