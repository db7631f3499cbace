"""A seller's daily work: which orders a list shows, and what is done with many of them at once."""
