"""The benchmark of the transports: `python -m benchmarks.transport`."""
