"""Deeds in two steps: a preview of what would happen, with a code; the code confirms exactly that, once.

For programs that act for a person who looks first. docs/decisions/0022-agents-for-sellers.md says why so.
"""
