"""When a seller works, and until when an order has to leave."""
