"""`pathlake repo`: the named homes of datasources, and what their paths refer to."""

from __future__ import annotations

from typing import Annotated

import typer

from pathlake.cli import rest
from pathlake.cli.output import JsonOption, print_json, print_table, say

app = typer.Typer(help="Make, list, connect and delete repos.", no_args_is_help=True)

RepoArgument = Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repo.", show_default=False)]


@app.command("list")
def list_(*, as_json: JsonOption = False) -> None:
    """List the repos of the engine."""
    found = rest.list_repos()
    if as_json:
        print_json([repo.to_json() for repo in found])
        return
    print_table(
        ("repo", "connection", "revision", "datasources", "description"),
        ((r.full_name, r.connection, r.revision, r.datasources, r.description) for r in found),
        empty="No repos yet. `pathlake repo create OWNER/NAME` makes one.",
        numeric=("datasources",),
    )


@app.command()
def create(
    repo: RepoArgument,
    *,
    description: Annotated[str, typer.Option(help="What it is for.", show_default=False)] = "",
    connect_to: Annotated[
        str | None,
        typer.Option("--connect", metavar="PATH_OR_URL", help="Connect it at once, as `repo connect` does."),
    ] = None,
) -> None:
    """Make a repo."""
    place = rest.absolute_place(connect_to) if connect_to else None
    rest.create_repo(repo, description=description)
    say(f"Made {repo}.")
    if place:
        connect(repo, place)


@app.command()
def connect(
    repo: RepoArgument,
    place: Annotated[
        str,
        typer.Argument(
            metavar="PATH_OR_URL", help="A git repository (path or clone URL), or a folder.", show_default=False
        ),
    ],
    *,
    revision: Annotated[
        str | None,
        typer.Option(help="Branch, tag or commit that paths without one mean; else the repository's own default."),
    ] = None,
) -> None:
    """Say what the paths of a repo refer to; what was connected before is replaced."""
    connection = rest.connect_repo(repo, place, revision=revision)
    at = f" at {connection['default_revision']}" if connection.get("default_revision") else ""
    say(f"Paths of {repo} now refer to the {connection['kind']} {connection['url']}{at}.")


@app.command()
def delete(
    repo: RepoArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a repo that has no datasources. The files it is connected to stay as they are."""
    if not yes:
        typer.confirm(f"Delete the repo {repo}?", abort=True, err=True)
    rest.delete_repo(repo)
    say(f"Deleted {repo}.")
