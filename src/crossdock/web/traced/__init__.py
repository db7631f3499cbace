"""Spans of what the web server is asked. Imported by nobody while traces are off."""
