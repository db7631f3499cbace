"""Buying: the basket, the shop's confirmation, payment, the order."""
