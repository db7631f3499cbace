"""What sellers are owed, and how they are paid."""
