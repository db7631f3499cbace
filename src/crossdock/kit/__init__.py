"""Tools for everything that speaks to the outside. Knows no store, no settings, no Django."""
