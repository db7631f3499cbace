"""When a seller works, their days and their holidays, and how well."""
