"""Where is my money: the balance, the statement, payouts."""
