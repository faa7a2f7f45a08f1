"""Where an engine keeps its things and what it may do."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pathlake.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlake.lake import LakeSettings

_SIZE = re.compile(r"^\s*\d+(\.\d+)?\s*(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)\s*$", re.IGNORECASE)
_LEAST_MEMORY_MIB = 256


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Everything an `Engine` needs to know before it opens.

    Attributes:
        home: Folder of everything the engine writes that is not told to go elsewhere.
        catalog_url: SQLAlchemy URL of the catalog, SQLite or PostgreSQL.
        lake_catalog_url: URL of the lake's catalog, `duckdb:///...`, `sqlite:///...` or `postgresql://...`.
        lake_data: Folder, or `s3://...` prefix, of the lake's Parquet files.
        memory_limit: What queries may use, as in `2GiB`.
        create_repos: Whether a repo comes into being at its first datasource.
        local_folders: Whether `file://` sources may be created.
        scan_workers: Scans that run at the same time, each of another datasource.
        probe_threads: Threads that read media headers, for each scan.
    """

    home: Path
    catalog_url: str
    lake_catalog_url: str
    lake_data: str
    memory_limit: str
    create_repos: bool = False
    local_folders: bool = False
    scan_workers: int = 2
    probe_threads: int = 8

    @classmethod
    def from_home(
        cls,
        home: str | Path,
        env: Mapping[str, str] | None = None,
        *,
        create_repos: bool = False,
        local_folders: bool = False,
    ) -> EngineSettings:
        """Return the settings of an engine that lives in one folder, as the environment changes them.

        Args:
            home: The folder; `~` is expanded. It need not exist.
            env: Environment variables; `PATHLAKE_CATALOG_URL`, `PATHLAKE_LAKE_CATALOG_URL`, `PATHLAKE_LAKE_DATA` and
                `PATHLAKE_MEMORY_LIMIT` are read. None means those of the process.
            create_repos: See the attribute.
            local_folders: See the attribute.

        Raises:
            ConfigurationError: A variable holds something that cannot be used.

        Example:
            >>> EngineSettings.from_home("/srv/pathlake", {"PATHLAKE_MEMORY_LIMIT": "2GiB"}).memory_limit
            '2GiB'
        """
        given = os.environ if env is None else env
        folder = Path(home).expanduser().absolute()
        lake = folder / "lake"
        memory_limit = given.get("PATHLAKE_MEMORY_LIMIT") or default_memory_limit()
        if not _SIZE.match(memory_limit):
            raise ConfigurationError(
                f"PATHLAKE_MEMORY_LIMIT is {memory_limit!r}, which is no size. Write a number and a unit, like 2GiB."
            )
        return cls(
            home=folder,
            catalog_url=given.get("PATHLAKE_CATALOG_URL") or f"sqlite:///{folder / 'catalog.sqlite'}",
            lake_catalog_url=given.get("PATHLAKE_LAKE_CATALOG_URL") or f"duckdb:///{lake / 'catalog.ducklake'}",
            lake_data=given.get("PATHLAKE_LAKE_DATA") or str(lake / "data"),
            memory_limit=memory_limit,
            create_repos=create_repos,
            local_folders=local_folders,
        )

    @property
    def blobs_dir(self) -> Path:
        """Folder of the blobs."""
        return self.home / "blobs"

    @property
    def git_dir(self) -> Path:
        """Folder of the clones of remote git repositories."""
        return self.home / "git"

    @property
    def temp_dir(self) -> Path:
        """Folder for what queries spill."""
        return self.home / "tmp"

    def lake_settings(self) -> LakeSettings:
        """Return what `open_lake` wants to know."""
        from pathlake.lake import LakeSettings

        return LakeSettings(
            catalog_url=self.lake_catalog_url,
            data_path=self.lake_data,
            memory_limit=self.memory_limit,
            temp_dir=self.temp_dir,
        )


def default_memory_limit() -> str:
    """Return half of the memory this process can have: the machine's, or its control group's where that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit_file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limit = Path(limit_file).read_text().strip()
        except OSError:
            continue
        if limit.isdigit():
            total = min(total, int(limit))
    return f"{max(_LEAST_MEMORY_MIB, total // 2 // (1 << 20))}MiB"
