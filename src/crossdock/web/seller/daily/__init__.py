"""The seller's daily work: the list of orders, tabs of one's own."""
