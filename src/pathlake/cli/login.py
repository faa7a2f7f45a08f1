"""`pathlake login`: which server the calls of this user go to."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pathlake.cli.output import say
from pathlake.cli.rest import whoami
from pathlake.client.config import Target, checked_host, forget_login, read_login, save_login
from pathlake.errors import ConfigurationError


def login(
    url: Annotated[
        str | None,
        typer.Argument(metavar="[URL]", help="Address of the server, as it was told you.", show_default=False),
    ] = None,
    *,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="PATHLAKE_TOKEN",
            help="Your token; asked for when not given. `-` reads it from standard input.",
            show_default=False,
        ),
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget what was kept; the engine of this machine serves again.")
    ] = False,
) -> None:
    """Keep a server's address and your token, once the server has accepted them."""
    if forget:
        say("Forgotten." if forget_login() else "Nothing was kept.")
        return
    if url is None:
        kept = read_login()
        if kept is None:
            raise ConfigurationError("Not logged in anywhere. Give the server's address: pathlake login URL")
        say(f"Logged in at {kept.url} as {whoami(kept)}.")
        return
    host = checked_host(url, origin="The address")
    if token == "-":  # noqa: S105  the sign for standard input
        token = sys.stdin.readline().strip()
    secret = token or typer.prompt("Token", hide_input=True, err=True)
    name = whoami(Target(host, secret))
    kept_at = save_login(host, secret)
    say(f"Logged in at {host} as {name}; kept in {kept_at}.")
