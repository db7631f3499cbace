"""The marketplace's own pages."""
