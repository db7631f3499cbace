"""Sellers' daily work that goes on in the background."""
