"""What sellers are owed and paid, for staff."""
