"""Backups: what is written, how it is put back, and whether a file would serve."""
