"""What buyers ask for after the sale."""
