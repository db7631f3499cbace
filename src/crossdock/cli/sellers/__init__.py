"""What staff set about single sellers."""
