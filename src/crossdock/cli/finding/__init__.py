"""Commands about what buyers find."""
