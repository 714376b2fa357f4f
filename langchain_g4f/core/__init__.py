"""The vocabulary of the package: values, effects and events. No I/O happens here."""
