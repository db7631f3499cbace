"""What a new seller brings before they sell."""
