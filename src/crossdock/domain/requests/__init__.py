"""What buyers ask for after the sale, as pure decisions."""
