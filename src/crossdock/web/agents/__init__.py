"""For programs that buy for people, by the Agentic Commerce Protocol 2026-04-17: docs/agents.md.

Behind the operator's switch: while it is off, every address here is a plain 404.
"""
