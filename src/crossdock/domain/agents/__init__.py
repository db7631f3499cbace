"""What programs that buy for people and the marketplace agree on."""
