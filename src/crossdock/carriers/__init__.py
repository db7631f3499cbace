"""Label providers, one folder each; kit.discover finds them by the name `carrier` that each offers."""
