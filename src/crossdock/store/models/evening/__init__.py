"""A seller's first evening: what is kept while a shop is only looked at."""
