"""What the performance table is made with: `python -m benchmarks`."""
