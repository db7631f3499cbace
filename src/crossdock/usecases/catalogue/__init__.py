"""Products in, listings, what is sold, offers."""
