"""Scans: one active one per datasource, and what became of the others."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from pathlake.catalog import tables
from pathlake.catalog.base import ScanRecord, ScanState
from pathlake.catalog.database import Database, violates_unique
from pathlake.catalog.names import is_id, storable
from pathlake.catalog.sources import source_row
from pathlake.errors import AlreadyExistsError, DatasourceNotFoundError, NotFoundError

_CHANGEABLE = frozenset(f.name for f in dataclasses.fields(ScanRecord)) - {"id", "datasource_id", "created_at"}
_IDS_PER_QUERY = 10_000
_FRESH = {
    **dict.fromkeys(
        ("seen", "new", "changed", "returned", "unchanged", "vanished", "probed", "probe_failures", "skipped"), 0
    ),
    "stage": "",
    "notes": (),
}


class ScanStore:
    """The part of the catalog about scans."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def create_scan(self, datasource_id: int, *, force_probe: bool = False) -> ScanRecord:
        """Queue a scan, or return the active one of the datasource, made to force probes if asked.

        Raises:
            DatasourceNotFoundError: There is no such datasource.
        """
        scans = tables.scans
        values = {
            **_FRESH,
            "datasource_id": datasource_id,
            "state": ScanState.QUEUED.value,
            "created_at": dt.datetime.now(dt.UTC),
            "force_probe": force_probe,
        }
        insert = sqlite.insert if self._db.is_sqlite else postgresql.insert
        queue = (
            insert(scans)
            .values(values)
            .on_conflict_do_nothing(index_elements=["datasource_id"], index_where=tables.ACTIVE)
            .returning(scans)
        )
        active = sa.and_(scans.c.datasource_id == datasource_id, tables.ACTIVE)
        join = sa.select(scans).where(active)
        if force_probe:
            join = sa.update(scans).where(active).values(force_probe=True).returning(scans)  # type: ignore[assignment]
        while True:
            try:
                with self._db.write() as connection:
                    source_row(connection, datasource_id)
                    row = (
                        connection.execute(queue).mappings().one_or_none()
                        or connection.execute(join).mappings().one_or_none()
                    )
            except sa.exc.IntegrityError as error:
                raise DatasourceNotFoundError(f"There is no datasource with the id {datasource_id}.") from error
            if row is not None:
                return _scan(row)
            # The scan that was active a moment ago has ended, so there is room for one now.

    def update_scan(self, scan_id: int, **changes: object) -> ScanRecord:
        """Set attributes of `ScanRecord` by name.

        Raises:
            TypeError: An attribute that does not exist or never changes.
            NotFoundError: There is no such scan.
            AlreadyExistsError: It would become active beside another active scan of its datasource.
        """
        unknown = sorted(changes.keys() - _CHANGEABLE)
        if unknown:
            raise TypeError(f"a scan has no attribute to change named {', '.join(unknown)}")
        scans = tables.scans
        values = {name: _stored(value) for name, value in changes.items()}
        change = sa.update(scans).where(scans.c.id == scan_id).values(values).returning(scans)
        try:
            with self._db.write() as connection:
                row = connection.execute(change).mappings().one_or_none() if values and is_id(scan_id) else None
                return _scan(row) if row is not None else _found(connection, scan_id)
        except sa.exc.IntegrityError as error:
            if not violates_unique(error):
                raise
            raise AlreadyExistsError("Another scan of the datasource is active.") from error

    def scan(self, scan_id: int) -> ScanRecord:
        """Return a scan.

        Raises:
            NotFoundError: There is none of that id.
        """
        with self._db.read() as connection:
            return _found(connection, scan_id)

    def latest_scan(self, datasource_id: int, *, state: ScanState | None = None) -> ScanRecord | None:
        """Return the newest scan of a datasource, or the newest one in that state; None if there is none."""
        if state is None:
            return self.latest_scans([datasource_id]).get(datasource_id)
        scans = tables.scans
        query = sa.select(scans).where(scans.c.datasource_id == datasource_id, scans.c.state == state.value)
        with self._db.read() as connection:
            row = connection.execute(query.order_by(scans.c.id.desc()).limit(1)).mappings().one_or_none()
        return None if row is None else _scan(row)

    def latest_scans(self, datasource_ids: Sequence[int]) -> dict[int, ScanRecord]:
        """Return the newest scan of each datasource that has one, by datasource id."""
        scans = tables.scans
        found: dict[int, ScanRecord] = {}
        wanted = [number for number in datasource_ids if is_id(number)]
        with self._db.read() as connection:
            for start in range(0, len(wanted), _IDS_PER_QUERY):
                chunk = wanted[start : start + _IDS_PER_QUERY]
                newest = sa.select(sa.func.max(scans.c.id)).where(scans.c.datasource_id.in_(chunk))
                query = sa.select(scans).where(scans.c.id.in_(newest.group_by(scans.c.datasource_id)))
                found |= {scan.datasource_id: scan for scan in map(_scan, connection.execute(query).mappings())}
        return found

    def active_scans(self) -> list[ScanRecord]:
        """Return the scans that wait or run, oldest first."""
        query = sa.select(tables.scans).where(tables.ACTIVE).order_by(tables.scans.c.id)
        with self._db.read() as connection:
            return [_scan(row) for row in connection.execute(query).mappings()]


def _found(connection: sa.Connection, scan_id: int) -> ScanRecord:
    query = sa.select(tables.scans).where(tables.scans.c.id == scan_id)
    row = connection.execute(query).mappings().one_or_none() if is_id(scan_id) else None
    if row is None:
        raise NotFoundError(f"There is no scan with the id {scan_id}.", {"id": scan_id})
    return _scan(row)


def _stored(value: object) -> object:
    if isinstance(value, ScanState):
        return value.value
    return storable(value) if isinstance(value, str) else value


def _scan(row: sa.RowMapping) -> ScanRecord:
    values = dict(row)
    return ScanRecord(**{**values, "state": ScanState(values["state"])})
