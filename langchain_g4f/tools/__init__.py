"""Tools for services that have none: instructions as text, calls parsed out of the answer."""
