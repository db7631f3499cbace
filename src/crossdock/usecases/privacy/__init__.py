"""A person's copy of their data, and their leaving: they reach into every room below."""
