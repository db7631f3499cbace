"""Template tags, loaded with {% load crossdock %}."""
