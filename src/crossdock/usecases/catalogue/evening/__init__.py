"""A seller's first evening: shadow mode, and the steps until a shop sells."""
