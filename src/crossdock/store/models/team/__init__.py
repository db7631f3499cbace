"""Who works for whom."""
