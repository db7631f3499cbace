"""Listings that are reported, taken down and put back. What is down is a state of the listing (`ListingState`), so that
whoever asks for what is live does not find it.
"""
