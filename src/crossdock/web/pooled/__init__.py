"""Django's PostgreSQL backend with a pool that says at once that the database is gone."""
