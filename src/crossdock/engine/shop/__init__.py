"""A pump's handler for one shop: its session, its commands, what is read of it, and its timers."""
