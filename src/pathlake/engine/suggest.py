"""Which directory was probably meant."""

from __future__ import annotations

from itertools import islice

from pathlake.catalog.base import Connection
from pathlake.engine.settings import EngineSettings
from pathlake.engine.sources import open_connection
from pathlake.errors import PathlakeError, suggestion

_BATCHES_READ = 5


def nearest_directory(connection: Connection, directory: str, *, revision: str | None, settings: EngineSettings) -> str:
    """Return `" Did you mean 'path/to/dir'?"` for a directory that does not exist, or an empty string.

    Looks at the directories beside it, below its nearest ancestor that exists, among the first 50,000 files.
    """
    parts = directory.split("/")
    for depth in range(len(parts) - 1, -1, -1):
        ancestor = "/".join(parts[:depth])
        names: set[str] = set()
        try:
            storage = open_connection(connection, directory=ancestor, revision=revision, settings=settings, fetch=False)
            try:
                storage.check()
                for batch in islice(storage.list(), _BATCHES_READ):
                    names.update(path.partition("/")[0] for path in batch.paths if "/" in path)
            finally:
                storage.close()
        except PathlakeError:
            continue
        prefix = f"{ancestor}/" if ancestor else ""
        wanted = "/".join([*parts[:depth], parts[depth]])
        return suggestion(wanted, [prefix + name for name in names])
    return ""
