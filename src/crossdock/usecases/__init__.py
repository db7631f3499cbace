"""What the marketplace does: one use-case per function, one transaction each, keyword-only.

Nothing here can reach the network.
"""
