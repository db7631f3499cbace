"""What of a shop is sold here: rules that its seller sets, as pure values."""
