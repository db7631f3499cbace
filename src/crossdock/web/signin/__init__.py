"""Signing in and what guards an account: second factors, proving again who one is, sessions, limits, notices."""
