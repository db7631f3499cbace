"""Listings that were reported, and taken down."""
