"""The `pathlake` command."""
