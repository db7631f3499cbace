"""What agents buy and what became of it; `acp` and `ucp` write an order as the two protocols do."""
