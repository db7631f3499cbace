"""A listing of the seller that was taken down."""
