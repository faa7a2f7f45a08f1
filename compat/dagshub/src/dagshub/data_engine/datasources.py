"""Create and find datasources; everything here is `pathlake.datasources`."""

from pathlake.client.datasources import (
    Datasource,
    create,
    create_datasource,
    create_from_repo,
    get,
    get_datasource,
    get_datasources,
    get_or_create,
)

__all__ = [
    "Datasource",
    "create",
    "create_datasource",
    "create_from_repo",
    "get",
    "get_datasource",
    "get_datasources",
    "get_or_create",
]
