"""Real folders and git repositories for an engine to read, and short ways to ask it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pygit2

from pathlake.catalog.base import DatasourceRecord, Repo, ScanRecord, ScanState
from pathlake.engine import Engine
from pathlake.engine.places import folder_url
from pathlake.expr import Query
from pathlake.lake.base import CommitReport

DEADLINE_S = 30.0
SIGNATURE = pygit2.Signature("Simon", "simon@example.org", 1_700_000_000, 0)


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def make_git(path: Path, files: Mapping[str, str | bytes], *, branch: str = "main") -> pygit2.Repository:
    repository = pygit2.init_repository(str(path), initial_head=branch)
    commit_files(repository, files, branch=branch)
    return repository


def commit_files(repository: pygit2.Repository, files: Mapping[str, str | bytes], *, branch: str = "main") -> str:
    """Commit exactly these files to a branch, and return the commit."""
    write_files(Path(repository.workdir), files)
    index = pygit2.Index()
    for name, content in files.items():
        blob = repository.create_blob(content.encode() if isinstance(content, str) else content)
        index.add(pygit2.IndexEntry(name, blob, pygit2.enums.FileMode.BLOB))
    tree = index.write_tree(repository)
    reference = f"refs/heads/{branch}"
    parents = [repository.references[reference].target] if reference in repository.references else []
    return str(repository.create_commit(reference, SIGNATURE, SIGNATURE, "files", tree, parents))


def create(engine: Engine, repo: Repo, folder: Path, *, name: str = "images") -> DatasourceRecord:
    return engine.datasources.create(repo, name, url=folder_url(str(folder)), created_by="simon").record


def done(engine: Engine, datasource: DatasourceRecord) -> ScanRecord:
    """Wait for the scan, which has to end well."""
    scan = engine.scans.wait(datasource, timeout_s=DEADLINE_S)
    assert scan.state is ScanState.DONE, scan
    return scan


def rescan(engine: Engine, datasource: DatasourceRecord) -> ScanRecord:
    engine.scans.start(datasource)
    return done(engine, datasource)


def rows_of(engine: Engine, datasource: DatasourceRecord, query: Query | None = None) -> dict[str, dict[str, Any]]:
    """Return the rows of a query by path, without columns that hold nothing there."""
    rows = engine.queries.rows(datasource, query or Query())
    try:
        table = pa.Table.from_batches(list(rows), rows.arrow_schema)
    finally:
        rows.close()
    return {row["path"]: {k: v for k, v in row.items() if v is not None} for row in table.to_pylist()}


def upload(engine: Engine, datasource: DatasourceRecord, **columns: Any) -> CommitReport:
    batch = pa.record_batch(columns)
    reader = pa.RecordBatchReader.from_batches(batch.schema, [batch])
    return engine.metadata.ingest(datasource, reader, author="simon", message="a test")


def until(condition: Callable[[], object], *, timeout_s: float = DEADLINE_S) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.005)
