"""What listings say of themselves: attributes and categories of the marketplace's own kind, how they are filled, and
what a buyer chooses among them.
"""
