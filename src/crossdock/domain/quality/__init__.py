"""How well sellers do."""
