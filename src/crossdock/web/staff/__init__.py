"""What staff see: Django's admin over the raw rows. Books and histories are read-only, secrets never shown."""
