"""The audit log sent on to the operator's collector (CROSSDOCK_AUDIT_TO)."""
