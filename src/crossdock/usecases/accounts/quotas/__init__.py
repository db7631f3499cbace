"""How much one seller may have."""
