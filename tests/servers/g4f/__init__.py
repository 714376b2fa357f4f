"""ChatG4F on the real base classes of g4f, both lines; `make g4f-compat` runs it."""
