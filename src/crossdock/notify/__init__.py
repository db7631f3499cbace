"""Mail and outgoing webhooks: what speaks to people outside."""
