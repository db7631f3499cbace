"""Shipping labels: prices, purchase, what the carrier tells."""
