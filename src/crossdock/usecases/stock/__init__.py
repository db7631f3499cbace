"""The stock protocol under row locks: promises, counts, fences, reconciliation, differences, limits."""
