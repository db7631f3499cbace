"""A command is claimed, its outcome means something: settled, looked up, put back."""
