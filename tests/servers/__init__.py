"""Tests with real servers, a real browser and g4f; each needs an environment of its own."""
