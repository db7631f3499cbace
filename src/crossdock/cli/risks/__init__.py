"""How well the risk rules tell fraud from honest orders, and how they are fitted."""
