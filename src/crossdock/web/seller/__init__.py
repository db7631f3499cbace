"""The seller's panel. Every view gets the seller from the session, and finds everything else through that seller."""
