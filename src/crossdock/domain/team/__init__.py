"""People who work for one seller."""
