"""The benchmark of ChatG4F: `python -m benchmarks.g4f`."""
