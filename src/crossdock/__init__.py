"""Crossdock: a marketplace whose sellers connect the shop that they already run."""
