"""What buyers see: listings, the cart, checkout and their orders. Every page works without a script."""
