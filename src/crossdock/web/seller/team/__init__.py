"""The people of one shop: who may what, and the pages about them."""
