"""The pages of a seller's first evening."""
