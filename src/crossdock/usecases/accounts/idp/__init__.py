"""Staff whom an identity provider knows."""
