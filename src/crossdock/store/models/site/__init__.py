"""What the marketplace says of itself."""
