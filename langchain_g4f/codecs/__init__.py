"""Bytes to values: no sockets, no clocks, no provider's names."""
