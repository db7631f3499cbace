"""Shapes that every shop platform repeats, as functions that a connector calls; what a platform decides stays in its
folder. CONTRIBUTING.md has the table: shape, function.
"""
