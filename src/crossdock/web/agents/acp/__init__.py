"""The Agentic Commerce Protocol 2026-04-17."""
