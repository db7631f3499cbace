"""What of a shop is sold here: rules kept, tried over all products, and applied."""
