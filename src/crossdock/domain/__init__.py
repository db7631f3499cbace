"""Pure decisions: values in, values out. No database, network, clock or logging."""
