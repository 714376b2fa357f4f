"""What a chunk of ChatG4F costs: `python -m benchmarks.g4f`."""
