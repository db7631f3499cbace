"""Programs that buy for people: their checkout sessions."""
