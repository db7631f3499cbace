"""The seller's daily work: lists of orders, and what is done with many of them."""
