"""The risk in words, under the module's old name, for what is being written beside this change."""

from crossdock.kit.shop.risk_notes import before, facts, note

__all__ = ["before", "facts", "note"]
