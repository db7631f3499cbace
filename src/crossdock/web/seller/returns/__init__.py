"""The seller's pages of what comes back."""
