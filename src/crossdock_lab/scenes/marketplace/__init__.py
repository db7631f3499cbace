"""What the marketplace itself does: chapters of the story about those who run it."""
