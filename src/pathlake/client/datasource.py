"""A handle on a datasource and a query over it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from pathlake.client.clauses import moment_of, orders, selections
from pathlake.client.columns import Column
from pathlake.client.conditions import BoundCondition, joined_handle
from pathlake.client.prompts import confirmed
from pathlake.client.scans import wait_for_scan, warn_of_scan
from pathlake.client.state import Commit, DatasetState
from pathlake.errors import DatasetNotFoundError, InvalidValueError, QueryError, UsageError, WrongOperatorError
from pathlake.expr import IsIn, Query, Selection, explain, query_to_wire
from pathlake.types import Field
from pathlake.types.zones import parse_zone

if TYPE_CHECKING:
    import datetime as dt

    from pathlake.client.context import MetadataContext
    from pathlake.client.datapoint import Datapoint
    from pathlake.client.fields import MetadataFieldBuilder
    from pathlake.client.result import QueryResult
    from pathlake.client.source import Source
    from pathlake.wire import CommitAnswer

SAMPLE_BY_ID = 5_000
"""Samples up to this size are fetched by id; larger ones are taken out of all rows, which is then quicker."""


class Datasource:
    """A datasource, or a query over one: immutable, so that every query is a handle of its own.

    `ds["field"]` is a column, `ds[condition]` the same datasource narrowed, `ds[10:20]` a slice of its datapoints.

    Example:
        >>> q1 = ds["episode"] > 5
        >>> q2 = (ds["episode"] == 0) & (ds["has_baby_yoda"] == True)
        >>> df = ds[q1 | q2].all().dataframe
    """

    __slots__ = ("_dataset", "_query", "_source")

    def __init__(self, source: Source, query: Query | None = None, *, dataset: DatasetState | None = None) -> None:
        self._source = source
        self._query = query or Query()
        self._dataset = dataset

    def __repr__(self) -> str:
        text = explain(self._query)
        query = f", {text}" if self._query != Query() else ""
        dataset = f", dataset {self._dataset.name!r}" if self._dataset else ""
        return f"<Datasource {self._source.name!r} of {self._source.repo} ({self._source.root_url}){dataset}{query}>"

    # -- what it is ----------------------------------------------------------------------------------------------

    @property
    def source(self) -> Source:
        """What stands behind the handle: id, name, repo, root URL, state of the last scan."""
        return self._source

    @property
    def fields(self) -> list[Field]:
        """The fields of the datasource as they are now, those that scans fill included."""
        return list(self._source.refresh().schema)

    @property
    def assigned_dataset(self) -> DatasetState | None:
        """The saved dataset the handle was opened from, or None."""
        return self._dataset

    @property
    def is_query_different_from_dataset(self) -> bool | None:
        """Whether the query was changed since the dataset was opened; None where there is no dataset."""
        return None if self._dataset is None else self._query != self._dataset.query

    def has_field(self, field_name: str) -> bool:
        """Tell whether the datasource has a field of that name now."""
        return field_name in ("path", "datapoint_id") or field_name in self._source.refresh().schema

    def get_query(self) -> Query:
        """Return the query of this handle, an immutable value."""
        return self._query

    def explain(self) -> str:
        """Say the query in one line of words."""
        return explain(self._query)

    def history(self, *, limit: int = 100) -> list[Commit]:
        """Return the latest change sets of the datasource's metadata, newest first."""
        return self._source.api.commits(self._source.id, first=limit)

    # -- building queries ----------------------------------------------------------------------------------------

    @overload
    def __getitem__(self, other: str) -> Column: ...

    @overload
    def __getitem__(self, other: BoundCondition | Datasource) -> Datasource: ...

    @overload
    def __getitem__(self, other: slice) -> QueryResult: ...

    def __getitem__(self, other: str | BoundCondition | Datasource | slice) -> Column | Datasource | QueryResult:
        """Return a column, the handle narrowed by a condition, or the datapoints of a slice.

        A condition is joined to the query with "and", whichever handle on the same datasource it was made from;
        another handle gives its condition.

        Raises:
            FieldNotFoundError: There is no field of that name; the message suggests the nearest.
            QueryError: The condition belongs to another datasource.
        """
        if isinstance(other, str):
            return Column(self, self._source.field(other))
        if isinstance(other, slice):
            return self._sliced(other)
        if isinstance(other, Datasource):
            other = other.as_condition()
        if isinstance(other, BoundCondition):
            joined_handle(self, other.handle)
            return self._with(self._query.where(other.condition))
        if isinstance(other, Column):
            raise QueryError(
                f"ds[...] takes a condition, and ds[{other.name!r}] is a column. "
                f"Compare it with something: ds[{other.name!r}] == True."
            )
        raise QueryError(
            f"ds[...] takes the name of a field, a condition or a slice, not {other!r}. "
            "For one datapoint by its position write ds.all()[0]."
        )

    def as_condition(self) -> BoundCondition:
        """Return the condition of this handle, to be joined with others."""
        return BoundCondition(self, self._query.condition)

    def __and__(self, other: Datasource | BoundCondition) -> BoundCondition:
        return self.as_condition() & other

    def __or__(self, other: Datasource | BoundCondition) -> BoundCondition:
        return self.as_condition() | other

    def __invert__(self) -> Datasource:
        return self._with(replace(self._query, condition=~self._query.condition))

    def __contains__(self, item: object) -> bool:
        raise WrongOperatorError(
            f"Python's `in` cannot be a query. Write ds.has_field({item!r}) for a field, "
            f'or (ds["path"] == {item!r}).count() > 0 for a datapoint.'
        )

    def __iter__(self) -> Any:
        raise WrongOperatorError("A datasource cannot be iterated over. Write `for dp in ds.all()`.")

    def select(self, *selected: str | Selection) -> Datasource:
        """Choose the fields of the result, in this order.

        Args:
            selected: Names of fields; a `Selection` gives one under another name; `"*"` stands for all others.

        Example:
            >>> ds.select("episode", Selection("has_baby_yoda", alias="yoda")).all().dataframe
        """
        return self._with(replace(self._query, select=selections(self._source, selected)))

    def order_by(self, *args: str | tuple[str, bool | str]) -> Datasource:
        """Order the datapoints; the first key matters most, missing values come last.

        Args:
            args: Names of fields, or pairs of a name and a direction: "asc" or "desc", or True for ascending.

        Example:
            >>> ds.order_by("episode", ("size", "desc")).head(10)
        """
        return self._with(replace(self._query, order_by=orders(self._source, args)))

    def limit(self, size: int | None) -> Datasource:
        """Give at most `size` datapoints, in the order asked for; None lifts the limit."""
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 0):
            raise QueryError(f"A limit is a whole number from 0 on, or None, not {size!r}.")
        return self._with(replace(self._query, limit=size))

    def as_of(self, time: float | dt.datetime) -> Datasource:
        """Ask for the metadata as it was at a time.

        Args:
            time: A datetime (a naive one is in this machine's zone), or seconds since 1970-01-01 UTC.
        """
        return self._with(replace(self._query, as_of=moment_of(time)))

    def with_time_zone(self, tz_val: str) -> Datasource:
        """Set the zone that date conditions use, written like `"+03:00"`; without it each value's own counts."""
        try:
            minutes = parse_zone(tz_val)
        except (InvalidValueError, AttributeError) as error:
            raise QueryError(
                f"{tz_val!r} is no time zone offset. Write it like '+03:00', '-03:30' or 'UTC'."
            ) from error
        return self._with(replace(self._query, zone_minutes=minutes))

    def include_missing(self) -> Datasource:
        """Let datapoints take part whose file vanished from the source."""
        return self._with(replace(self._query, include_missing=True))

    def clear_query(self, reset_to_dataset: bool = True) -> Datasource:  # noqa: FBT001, FBT002 - the official signature
        """Return a handle without a query, or with that of the dataset the handle was opened from."""
        dataset = self._dataset if reset_to_dataset else None
        return Datasource(self._source, dataset.query if dataset else None, dataset=dataset)

    def without_query(self) -> Datasource:
        """Return a handle on the whole datasource."""
        return Datasource(self._source)

    # -- getting data --------------------------------------------------------------------------------------------

    def all(self, *, progress: bool | None = None) -> QueryResult:
        """Return all datapoints of the query; a `limit` in it holds.

        Args:
            progress: Whether to show a bar; by default where somebody is watching and the result is large.

        Warns:
            ScanInProgressWarning: The datasource is still being scanned, the result may be partial.
            ScanFailedWarning: The latest scan failed, the result may be partial.
        """
        return self._fetched(self._query, progress=progress)

    def fetch(self, *, progress: bool | None = None) -> QueryResult:
        """Return the datapoints of the query, the same as `all`."""
        return self._fetched(self._query, progress=progress)

    def head(self, size: int = 100) -> QueryResult:
        """Return the first `size` datapoints of the query."""
        limit = self.limit(size).get_query().limit
        assert limit is not None
        own = self._query.limit
        return self._fetched(replace(self._query, limit=limit if own is None else min(limit, own)))

    def count(self) -> int:
        """Return how many datapoints the query gives, without fetching them."""
        return self._source.api.count(self._source.id, self.to_wire())

    def sample(
        self,
        n: int | None = None,
        seed: int | None = None,
        *,
        start: int | None = None,
        end: int | None = None,
    ) -> QueryResult:
        """Return `n` datapoints at random, or those of the positions from `start` to `end`.

        `sample(100)` draws 100 datapoints without replacement, each set of 100 equally likely, given in the query's
        order; fewer where the query has fewer. With keywords, `sample(start=10, end=20)` is the slice `ds[10:20]`.

        Args:
            n: How many to draw.
            seed: The same seed draws the same ones, as long as the query gives the same datapoints.
            start: First position of a slice, from 0.
            end: Position after the last of a slice; None means the end.
        """
        if n is None:
            if seed is not None:
                raise UsageError("sample(seed=...) needs to know how many: sample(100, seed=0).")
            return self._sliced(slice(start, end))
        if start is not None or end is not None:
            raise UsageError("sample() takes either n, or start and end; for a part of a slice sample its result.")
        if isinstance(n, bool) or not isinstance(n, int) or n < 0:
            raise UsageError(f"sample() draws a whole number of datapoints, not {n!r}.")
        ids = self._fetched(replace(self._query, select=(Selection("path"),)), warn=False)
        chosen = sorted(random.Random(seed).sample(range(len(ids)), min(n, len(ids))))
        if len(chosen) > SAMPLE_BY_ID:
            return self._fetched(self._query, snapshot=ids.snapshot).take(chosen)
        wanted = IsIn("datapoint_id", tuple(ids.datapoint_ids(chosen)))
        narrowed = replace(self._query.where(wanted), limit=None)
        return self._fetched(narrowed, snapshot=ids.snapshot)

    # -- metadata ------------------------------------------------------------------------------------------------

    def metadata_context(self, *, message: str | None = None) -> MetadataContext:
        """Collect metadata in a `with` block and send it as one commit when the block ends.

        Nothing is sent when the block raises.

        Args:
            message: What the commit says of itself.

        Example:
            >>> with ds.metadata_context() as ctx:
            ...     ctx.update_metadata("images/005.jpg", {"episode": 5, "has_baby_yoda": True})
        """
        from pathlake.client.context import MetadataContext

        return MetadataContext(self._source, message=message)

    def upload_metadata_from_dataframe(
        self,
        df: Any,
        path_column: str | int | None = None,
        *,
        message: str | None = None,
        progress: bool | None = None,
    ) -> CommitAnswer:
        """Upload a table as metadata, in one commit; see `pathlake.client.upload.upload_table`.

        Args:
            df: A pandas or polars frame, an Arrow table, record batch, reader or dataset, or anything else that
                gives an Arrow stream.
            path_column: Name or position of the column that holds the paths; the first one by default.
            message: What the commit says of itself.
            progress: Whether to show a bar; by default where somebody is watching.
        """
        from pathlake.client.upload import upload_table

        return upload_table(self._source, df, path_column=path_column, message=message, progress=progress)

    def upload_metadata_from_file(
        self,
        file_path: str | Path,
        path_column: str | int | None = None,
        *,
        message: str | None = None,
        progress: bool | None = None,
    ) -> CommitAnswer:
        """Upload a CSV, TSV, JSONL, Parquet or Arrow file as metadata, in one commit and in flat memory.

        Args:
            file_path: The file; its extension says what it is. `.csv.gz`, `.tsv.gz` and `.jsonl.gz` work too.
            path_column: Name or position of the column that holds the paths; the first one by default.
            message: What the commit says of itself.
            progress: Whether to show a bar; by default where somebody is watching.
        """
        from pathlake.client.files import open_table
        from pathlake.client.upload import upload_table

        with open_table(Path(file_path)) as table:
            return upload_table(self._source, table, path_column=path_column, message=message, progress=progress)

    def metadata_field(self, field_name: str) -> MetadataFieldBuilder:
        """Edit what is said of a field, or create one; see `MetadataFieldBuilder`."""
        from pathlake.client.fields import MetadataFieldBuilder

        return MetadataFieldBuilder(self._source, field_name)

    def apply_field_changes(self, field_builders: Sequence[MetadataFieldBuilder]) -> None:
        """Apply several edits of `metadata_field` at once."""
        self._source.api.update_fields(self._source.id, [builder.schema for builder in field_builders])
        self._source.refresh()

    def delete_metadata_from_datapoints(self, datapoints: Sequence[Datapoint], fields: Sequence[str]) -> None:
        """Remove the values of fields from datapoints; the fields themselves stay."""
        names = [self._source.field(name).name for name in fields]
        values = [(datapoint.datapoint_id, name) for datapoint in datapoints for name in names]
        if values:
            self._source.api.delete_values(self._source.id, values)

    def delete_datapoints(self, datapoints: Sequence[Datapoint], *, force: bool = False) -> None:
        """Remove datapoints with all their metadata, after asking. The files stay; a scan finds them again as new.

        Args:
            datapoints: Which.
            force: Do not ask.
        """
        if datapoints and confirmed(f"Delete {len(datapoints)} datapoints with all their metadata", force=force):
            self._source.api.delete_datapoints(self._source.id, [point.datapoint_id for point in datapoints])

    # -- scanning ------------------------------------------------------------------------------------------------

    def scan_source(self, options: Sequence[str] | None = None) -> None:
        """Start to scan the source for new, changed and vanished files; return at once.

        Args:
            options: `"FORCE_REGENERATE_AUTO_SCAN_VALUES"` reads all media headers again.
        """
        self._source.state = self._source.api.scan(self._source.id, options=options)

    def cancel_scan(self) -> None:
        """Stop the scan that runs, if one does; what it found is kept."""
        self._source.state = self._source.api.cancel_scan(self._source.id)

    def wait_until_ready(
        self,
        max_wait_time: float | None = 300,
        fail_on_timeout: bool = True,  # noqa: FBT001, FBT002 - the official signature
        *,
        progress: bool | None = None,
    ) -> None:
        """Wait for the scan that runs to end.

        Args:
            max_wait_time: Longest wait in seconds; None waits for ever.
            fail_on_timeout: Whether to raise when that is over, or to return.
            progress: Whether to show a bar; by default where somebody is watching.

        Raises:
            ScanFailedError: The scan failed; the message has its reason.
            ScanTimeoutError: It still runs.
        """
        wait_for_scan(self._source, max_wait_s=max_wait_time, fails=fail_on_timeout, progress=progress)

    # -- datasets and deleting -----------------------------------------------------------------------------------

    def save_dataset(self, name: str) -> Datasource:
        """Keep the query under a name; `datasets.get_dataset(repo, name)` opens it again.

        Returns:
            A handle on the saved dataset.

        Raises:
            DatasetAlreadyExistsError: The repo has a dataset of that name.
        """
        api = self._source.api
        dataset_id = api.save_dataset(self._source.id, name, query=self.to_wire())
        found = api.datasets(id=dataset_id)
        if not found:
            raise DatasetNotFoundError(f"The dataset {name!r} of {self._source.repo} was deleted meanwhile.")
        return Datasource(self._source, found[0].query, dataset=found[0])

    def delete_dataset(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - the official signature
        """Delete the saved dataset this handle was opened from, after asking; the datasource stays.

        Args:
            force: Do not ask.
        """
        if self._dataset is None:
            raise UsageError("This handle was not opened from a dataset, so there is none to delete.")
        if confirmed(f"Delete the dataset {self._dataset.name!r} of {self._source.repo}", force=force):
            self._source.api.delete_dataset(self._dataset.id)

    def delete_source(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - the official signature
        """Delete the datasource with its metadata, its history and its datasets, after asking; the files stay.

        Args:
            force: Do not ask. Needed where nobody can answer.
        """
        question = f"Delete the datasource {self._source.name!r} of {self._source.repo} with all its metadata"
        if confirmed(question, force=force):
            self._source.api.delete_datasource(self._source.id)

    # -- the wire ------------------------------------------------------------------------------------------------

    def to_wire(self) -> dict[str, Any]:
        """Return the query as the JSON of a `QueryInput`."""
        return query_to_wire(self._query, self._source.schema)

    def _with(self, query: Query) -> Datasource:
        return Datasource(self._source, query, dataset=self._dataset)

    def _fetched(
        self,
        query: Query,
        *,
        snapshot: int | None = None,
        offset: int = 0,
        progress: bool | None = None,
        warn: bool = True,
    ) -> QueryResult:
        from pathlake.client.rows import fetch

        result = fetch(self._source, query, snapshot=snapshot, offset=offset, progress=progress)
        if warn:
            warn_of_scan(self._source, result.scan)
        return result

    def _sliced(self, part: slice) -> QueryResult:
        for number in (part.start, part.stop, part.step):
            if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
                raise QueryError(f"A slice of datapoints takes whole numbers, not {number!r}.")
        start, stop, step = part.start or 0, part.stop, part.step or 1
        if step < 1:
            raise QueryError("A slice of a datasource goes forwards; use order_by() to turn the order round.")
        if start < 0 or (stop is not None and stop < 0):
            start, stop, _ = slice(start, stop).indices(self.count())
        length = None if stop is None else max(0, stop - start)
        own = self._query.limit
        if own is not None:
            length = max(0, own - start) if length is None else max(0, min(length, own - start))
        found = self._fetched(replace(self._query, limit=length), offset=start)
        return found if step == 1 else found[::step]
