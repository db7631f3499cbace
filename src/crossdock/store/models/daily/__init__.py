"""What sellers keep for their daily work."""
