"""Alembic's scripts. `pathlake.catalog.migrate` runs them; Alembic is imported only then."""
