"""The engine: every use case over one catalog and one lake, without HTTP."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from pathlib import Path
from types import TracebackType

from pathlake.engine.blobs import Blobs
from pathlake.engine.datasets import Datasets
from pathlake.engine.datasources import Datasources
from pathlake.engine.failures import home_errors
from pathlake.engine.files import Files
from pathlake.engine.metadata import Metadata
from pathlake.engine.queries import Queries
from pathlake.engine.repos import Repos
from pathlake.engine.scans import Scans
from pathlake.engine.settings import EngineSettings
from pathlake.engine.upkeep import Upkeep
from pathlake.errors import IncompatibleVersionError

HOME_FORMAT = 1
"""Format of a home folder; a higher number in its `version` file is of a newer Pathlake."""


class Engine:
    """The composition root: opens the catalog and the lake of the settings and hands them to the use cases.

    Opening makes the home where there is none. A home has one engine at a time; who opens it sees to that.

    Attributes:
        settings: As given.
        catalog: What exists, by name.
        lake: Metadata tables.
        blobs: Bytes by hash.
        repos, datasources, scans, metadata, queries, datasets, files: The use cases.

    Raises:
        HomeError: The home cannot be made or written.
        IncompatibleVersionError: The home was made by a newer version.

    Example:
        >>> with open_engine(EngineSettings.from_home("/srv/pathlake", local_folders=True)) as engine:
        ...     repo = engine.repos.create("simon/baby-yoda")
        ...     view = engine.datasources.create(repo, "images", url="file:///data/images", created_by="simon")
        ...     engine.scans.wait(view.record).seen
        1797
    """

    def __init__(self, settings: EngineSettings) -> None:
        from pathlake.catalog import open_catalog
        from pathlake.lake import open_lake

        prepare_home(settings)
        self.settings = settings
        self._lock = threading.Lock()
        self._closed = False
        with contextlib.ExitStack() as undo:
            self.catalog = open_catalog(settings.catalog_url)
            undo.callback(self.catalog.close)
            self.lake = open_lake(settings.lake_settings())
            undo.pop_all()
        self.blobs = Blobs(settings.blobs_dir)
        self.repos = Repos(self.catalog, settings)
        self.scans = Scans(self.catalog, self.lake, settings=settings)
        self.datasources = Datasources(self.catalog, self.lake, repos=self.repos, scans=self.scans, settings=settings)
        self.metadata = Metadata(self.lake, self.blobs)
        self.queries = Queries(self.lake)
        self.datasets = Datasets(self.catalog, self.lake)
        self.files = Files(self.catalog, self.repos, settings=settings)
        self._upkeep = Upkeep(self.lake)

    def start(self) -> None:
        """Take up what an engine before this one left: scans that had not ended run again, from where they were."""
        self.datasources.remove_half_made()
        self.scans.resume()
        self._upkeep.start()

    def close(self) -> None:
        """Stop scans, which go on when an engine next starts, and free everything. Safe to call twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._upkeep.close()
        self.scans.close()
        self.files.close()
        self.lake.close()
        self.catalog.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_engine(settings: EngineSettings) -> Engine:
    """Open an engine and start it; close it when done, or use it as a context manager."""
    engine = Engine(settings)
    try:
        engine.start()
    except BaseException:
        engine.close()
        raise
    return engine


def prepare_home(settings: EngineSettings) -> None:
    """Make the home folder, see that it can be written, and that its format is one this version knows.

    Raises:
        HomeError: The home cannot be made or written; the message says what to do.
        IncompatibleVersionError: The home was made by a newer version.
    """
    home = settings.home
    with home_errors(home):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        version_file = home / "version"
        with contextlib.suppress(FileNotFoundError):
            found = version_file.read_text(encoding="utf-8").strip()
            if not found.isdigit() or int(found) > HOME_FORMAT:
                raise IncompatibleVersionError(
                    f"The home {home} was made by a newer version of Pathlake (its format is {found[:20]!r}, this "
                    f"version knows {HOME_FORMAT}). Upgrade with `pip install --upgrade pathlake`, or choose another "
                    "home with PATHLAKE_HOME.",
                    {"home": str(home), "found": found[:20], "known": HOME_FORMAT},
                )
        handle, temp = tempfile.mkstemp(dir=home, prefix=".version-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{HOME_FORMAT}\n")
        Path(temp).replace(version_file)
        for folder in (settings.blobs_dir, settings.temp_dir, home / "lake"):
            folder.mkdir(parents=True, exist_ok=True)
