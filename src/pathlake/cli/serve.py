"""`pathlake serve`: the engine of a home, shared over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pathlake.cli.output import say, stdout
from pathlake.client.config import home_path
from pathlake.errors import MissingExtraError

if TYPE_CHECKING:
    from pathlake.server.serve import Serving

DEFAULT_PORT = 8000


def serve(
    *,
    host: Annotated[
        str, typer.Option(help="Interface to listen on; 0.0.0.0 lets other machines reach it, without encryption.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = DEFAULT_PORT,
    home: Annotated[
        Path | None,
        typer.Option(help="Home folder to serve; else PATHLAKE_HOME, else ~/.pathlake.", show_default=False),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="PATHLAKE_ADMIN_TOKEN",
            help="Make this the admin token, instead of one made up at the first start.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Serve a home to others until Ctrl-C. The first start makes an admin token and shows it once."""
    try:
        from pathlake.server.serve import serve as run
    except ImportError as error:
        raise MissingExtraError(
            f"The server needs {error.name}, which is not installed. Run: pip install 'pathlake[server]'"
        ) from error
    folder = home or home_path()
    run(folder, host=host, port=port, token=token, on_start=lambda serving: announce(serving, folder))
    say("Stopped.")


def announce(serving: Serving, home: Path) -> None:
    """Print where the server listens, its new token, and what a client has to set to reach it."""
    out = stdout()

    def line(text: str = "") -> None:
        out.print(text, markup=False)

    shown = serving.new_token or "YOUR_TOKEN"
    line(f"Pathlake serves {home} at {serving.url}")
    if serving.new_token:
        line()
        line(f"Admin token, shown this once:  {serving.new_token}")
    line()
    line("Connect a client with")
    line(f"  export PATHLAKE_HOST={serving.url} PATHLAKE_TOKEN={shown}")
    line("or, the official client's variables,")
    line(f"  export DAGSHUB_CLIENT_HOST={serving.url} DAGSHUB_USER_TOKEN={shown}")
    line("or once and for all with")
    line(f"  pathlake login {serving.url}")
    line()
    line("Ctrl-C stops it.")
    out.file.flush()
