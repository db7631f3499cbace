"""Shop platforms, one folder each; kit.discover finds them.

A folder imports the kit and the domain, never another folder.
"""
