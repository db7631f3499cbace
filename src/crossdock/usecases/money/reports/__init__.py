"""What finance and operations read of the books: figures of a period, the rows behind them, and closings of days."""
