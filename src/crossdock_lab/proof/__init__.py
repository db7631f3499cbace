"""The proof that stock stays true: an exhaustive model that shares the product's decisions, and the real product under
a seeded scheduler.
"""
