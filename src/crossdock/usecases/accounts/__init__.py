"""People and their programs: buyers, sellers, staff, tokens."""
