"""The Universal Commerce Protocol 2026-04-08."""
