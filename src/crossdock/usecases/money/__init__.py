"""Books, credits, and what a payment provider tells later."""
