"""The contract of the transports, measured."""
