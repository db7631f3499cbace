"""Labels and tracking from carriers: nothing is here yet; a folder per carrier, found by scan."""
