"""A person's data: what is handed out, what goes when they leave, and what stops that. Pure decisions and one table."""
