"""Who the caller is, as far as a service can tell."""
