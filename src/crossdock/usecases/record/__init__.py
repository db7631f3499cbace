"""What is told of what happened: timeline, audit, mail, events for programs, alerts, and the operator's policy."""
