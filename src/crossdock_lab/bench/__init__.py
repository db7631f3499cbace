"""`make bench`: what the product costs, each figure as one JSON line, beside another commit of it in one run.

The machine's own speed changes from hour to hour, so figures mean something only beside others of the same run.
"""
