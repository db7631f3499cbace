"""Listings that are reported and taken down: who may say what, who decides, and what each side reads."""
