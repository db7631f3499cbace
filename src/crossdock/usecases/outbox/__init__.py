"""What is to be done and what was delivered, kept in lines: commands out, deliveries in."""
