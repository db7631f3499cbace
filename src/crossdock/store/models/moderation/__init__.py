"""Reports of listings, and what became of them."""
