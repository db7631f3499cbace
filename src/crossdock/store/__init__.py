"""The only Django app with models. One file per aggregate; mapping to domain values stays beside the rows."""
