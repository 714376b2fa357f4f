"""The benchmarks of the package: `python -m benchmarks`."""
