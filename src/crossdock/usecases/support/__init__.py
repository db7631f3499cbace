"""People who help: cases and their evidence, staff's dashboard and quarantine, acting as a seller."""
