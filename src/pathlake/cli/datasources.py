"""`pathlake ds`: collections of files and their metadata."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pathlake.cli.output import JsonOption, print_facts, print_json, print_table, say

if TYPE_CHECKING:
    from pathlake.client.datasource import Datasource
    from pathlake.client.state import DatasourceState, ScanInfo

app = typer.Typer(help="Create, scan, query, export and delete datasources.", no_args_is_help=True)

RepoArgument = Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repo.", show_default=False)]
NameArgument = Annotated[str, typer.Argument(metavar="DATASOURCE", help="Its name.", show_default=False)]
QueryArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[QUERY]",
        help="A condition in Python's spelling, for instance: episode > 5 and label.contains('cat')",
        show_default=False,
    ),
]
SelectOption = Annotated[
    str | None, typer.Option("--select", metavar="FIELD,...", help="Only these fields.", show_default=False)
]
OrderOption = Annotated[
    str | None,
    typer.Option("--order-by", metavar="FIELD[:desc],...", help="Order by these fields.", show_default=False),
]
TimeoutOption = Annotated[
    float | None, typer.Option(min=0, help="Seconds to wait at most; the scan itself goes on.", show_default=False)
]

SHOWN_ROWS = 50


@app.command("list")
def list_(repo: RepoArgument, *, as_json: JsonOption = False) -> None:
    """List the datasources of a repo."""
    from pathlake import datasources

    states = [ds.source.state for ds in datasources.get_datasources(repo)]
    if as_json:
        print_json([_state_json(state) for state in states])
        return
    print_table(
        ("name", "id", "status", "files", "fields", "source"),
        ((s.name, s.id, s.status, s.scan.seen if s.scan else None, len(list(s.schema)), s.root_url) for s in states),
        empty=f"No datasources in {repo} yet. `pathlake ds create {repo} NAME PATH` makes one.",
        numeric=("id", "files", "fields"),
    )


@app.command()
def show(repo: RepoArgument, name: NameArgument, *, as_json: JsonOption = False) -> None:
    """Show a datasource: its source, its latest scan and its fields."""
    ds = _datasource(repo, name)
    state = ds.source.state
    count = ds.count()
    if as_json:
        print_json({**_state_json(state), "datapoints": count})
        return
    print_facts(
        [
            ("name", state.name),
            ("id", state.id),
            ("repo", state.repo),
            ("source", state.root_url),
            ("datapoints", f"{count:,}"),
            ("status", state.status),
            ("scan", scan_line(state.scan) if state.scan else "none yet"),
            ("files at", state.scan.revision if state.scan else None),
            ("made", state.created_at),
        ]
    )
    print_table(
        ("field", "type", "written by", "tags", "description"),
        (
            (f.name, f.type_name, "scans" if f.automatic else "people", ", ".join(f.tags), f.description)
            for f in state.schema
        ),
    )


@app.command()
def create(
    repo: RepoArgument,
    name: NameArgument,
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="A directory of the repo's git repository, or a folder: absolute, or beginning with ./ or ~.",
            show_default=False,
        ),
    ],
    revision: Annotated[
        str | None,
        typer.Argument(metavar="[REVISION]", help="Branch, tag or commit, for a directory in git.", show_default=False),
    ] = None,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until its first scan is done.")] = False,
) -> None:
    """Create a datasource. Its first scan starts by itself."""
    from pathlake import datasources

    ds = datasources.create_datasource(repo, name, path, revision)
    say(f"Made {ds.source.name} on {ds.source.root_url}.")
    if wait:
        _wait(ds, timeout_s=None)


@app.command()
def scan(
    repo: RepoArgument,
    name: NameArgument,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Show its progress and wait until it is done.")] = False,
    timeout: TimeoutOption = None,
    all_headers: Annotated[
        bool, typer.Option("--all-headers", help="Read the media headers of unchanged files too.")
    ] = False,
) -> None:
    """Look for new, changed and vanished files."""
    ds = _datasource(repo, name)
    ds.scan_source([FORCE_HEADERS] if all_headers else None)
    if wait:
        _wait(ds, timeout_s=timeout)
    else:
        say(f"Scanning {ds.source.root_url}; `pathlake ds show {repo} {name}` says how far it is.")


@app.command()
def query(
    repo: RepoArgument,
    name: NameArgument,
    condition: QueryArgument = None,
    *,
    select: SelectOption = None,
    order_by: OrderOption = None,
    limit: Annotated[int, typer.Option(min=0, help="Datapoints to print at most; 0 prints all.")] = SHOWN_ROWS,
    count: Annotated[bool, typer.Option("--count", help="Print how many there are, and no more.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the datapoints a condition holds for; without one, all."""
    ds = narrowed(_datasource(repo, name), condition, select=select, order_by=order_by)
    if count:
        total = ds.count()
        if as_json:
            print_json({"count": total})
        else:
            typer.echo(total)
        return
    result = ds.all() if limit == 0 else ds.head(limit)
    table = result.to_arrow()
    if as_json:
        print_json(table.to_pylist())
        return
    columns = [column for column in table.column_names if column != "datapoint_id"]
    rows = ([row[column] for column in columns] for row in table.to_pylist())
    numeric = [column for column in columns if _is_number(table.schema.field(column).type)]
    print_table(columns, rows, empty="No datapoints.", numeric=numeric)
    if limit and table.num_rows == limit:
        total = ds.count()
        if total > limit:
            say(f"{limit:,} of {total:,} datapoints. --limit 0 prints all; `pathlake ds export` writes them to a file.")


@app.command()
def export(
    repo: RepoArgument,
    name: NameArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .csv, .parquet or .jsonl.", show_default=False)],
    condition: QueryArgument = None,
    *,
    select: SelectOption = None,
    order_by: OrderOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
) -> None:
    """Write the datapoints a condition holds for to a file, whole or not at all."""
    from pathlake.cli.export import check_target, write_table

    check_target(file, force=force)
    ds = narrowed(_datasource(repo, name), condition, select=select, order_by=order_by)
    table = ds.all().to_arrow()
    write_table(table, file)
    say(f"Wrote {table.num_rows:,} datapoints to {file}.")


@app.command()
def delete(
    repo: RepoArgument,
    name: NameArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a datasource with its metadata and saved datasets. The files stay as they are."""
    ds = _datasource(repo, name)
    if not yes:
        typer.confirm(f"Delete {name} of {repo} with its metadata of {ds.count():,} datapoints?", abort=True, err=True)
    ds.delete_source(force=True)
    say(f"Deleted {name} of {repo}.")


FORCE_HEADERS = "FORCE_REGENERATE_AUTO_SCAN_VALUES"


def narrowed(ds: Datasource, condition: str | None, *, select: str | None, order_by: str | None) -> Datasource:
    """Return a datasource narrowed by what was given on the command line.

    Args:
        ds: The datasource.
        condition: A condition in Python's spelling, parsed and never evaluated.
        select: Names of fields with commas between them.
        order_by: Names of fields with commas between them, each with `:desc` or `:asc` where wanted.
    """
    from pathlake.client.conditions import BoundCondition
    from pathlake.expr import parse_condition

    if condition and condition.strip():
        ds = ds[BoundCondition.bound(ds, parse_condition(condition))]
    if select:
        ds = ds.select(*_names(select))
    if order_by:
        ds = ds.order_by(*(_order(part) for part in _names(order_by)))
    return ds


def scan_line(scan: ScanInfo) -> str:
    """Say a scan in one line."""
    counted = [
        f"{value:,} {word}"
        for value, word in (
            (scan.new, "new"),
            (scan.changed, "changed"),
            (scan.returned, "returned"),
            (scan.unchanged, "unchanged"),
            (scan.vanished, "vanished"),
            (scan.skipped, "skipped"),
        )
        if value
    ]
    state = scan.state.lower() + (f" ({scan.stage})" if scan.active and scan.stage else "")
    text = f"{state}: {', '.join(counted) or 'no files'}"
    return f"{text}; {scan.error}" if scan.error else text


def _wait(ds: Datasource, *, timeout_s: float | None) -> None:
    ds.wait_until_ready(max_wait_time=timeout_s)
    scan = ds.source.refresh().scan
    if scan is not None:
        say(scan_line(scan).capitalize() + ".")
        for note in scan.notes:
            say(f"  {note}")


def _datasource(repo: str, name: str) -> Datasource:
    from pathlake import datasources

    return datasources.get_datasource(repo, name=name)


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _order(part: str) -> tuple[str, bool]:
    name, colon, direction = part.rpartition(":")
    if colon and direction in ("asc", "desc"):
        return name, direction == "asc"
    return part, True


def _is_number(arrow_type: Any) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_integer(arrow_type) or kinds.is_floating(arrow_type))


def _state_json(state: DatasourceState) -> dict[str, object]:
    scan = state.scan
    return {
        "repo": state.repo,
        "id": state.id,
        "name": state.name,
        "source": state.root_url,
        "type": state.type,
        "status": state.status,
        "created_by": state.created_by,
        "created_at": state.created_at,
        "scan": None if scan is None else {name: getattr(scan, name) for name in scan.__slots__},
        "fields": [
            {
                "name": f.name,
                "type": str(f.type),
                "multiple": f.multiple,
                "automatic": f.automatic,
                "tags": list(f.tags),
                "description": f.description,
            }
            for f in state.schema
        ],
    }
