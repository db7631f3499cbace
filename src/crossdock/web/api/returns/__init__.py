"""What comes back, by a program."""
