"""A seller's first evening: what a shop would have sold here before it does."""
