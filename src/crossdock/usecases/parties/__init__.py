"""Whoever commands go to, at work: leases, rests, root causes of trouble, rows that stand by themselves."""
