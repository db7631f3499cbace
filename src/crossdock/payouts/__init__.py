"""Payout providers, one folder each; every folder offers `bank`."""
