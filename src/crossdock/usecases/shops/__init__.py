"""A connected shop between orders: connecting, testing, timers, its identity, currency and health."""
