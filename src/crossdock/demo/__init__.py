"""The demo world, and what it shares with the story and the checks: shops joined through the real path."""
