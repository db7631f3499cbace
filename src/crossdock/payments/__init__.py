"""Payment providers, one folder each; kit.discover finds them by the name `gateway` that each offers."""
