"""The import paths of the Data Engine's documentation, served by Pathlake."""
