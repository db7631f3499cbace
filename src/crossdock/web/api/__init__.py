"""The API for programs: the same use-cases as the pages, behind bearer tokens.

The description is at /api/v1/openapi.json.
"""
