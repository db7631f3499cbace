"""For programs that buy for people: docs/agents.md. `acp/` and `ucp/` speak the two protocols; what lies beside them is
the same for both, and says nothing in the words of either.

Behind the operator's switches: while a protocol is off, every address of it is a plain 404.
"""
