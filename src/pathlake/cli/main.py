"""The `pathlake` command: its sub-commands, and how it reports errors."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pathlake.cli import datasources, repos
from pathlake.cli.demo import demo
from pathlake.cli.doctor import doctor
from pathlake.cli.login import login
from pathlake.cli.output import print_error
from pathlake.cli.serve import serve
from pathlake.errors import PathlakeError
from pathlake.wire.contract import package_version


class ReportingGroup(TyperGroup):
    """Turns errors into one line on standard error and exit code 1; wrong usage stays exit code 2."""

    def invoke(self, ctx: Any) -> Any:
        """Run the sub-command that was asked for."""
        try:
            return super().invoke(ctx)
        except (PathlakeError, OSError) as error:
            if isinstance(error, BrokenPipeError) and not isinstance(error, PathlakeError):
                _leave_quietly()
            print_error(error)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except Exception as error:
            if type(error).__module__.split(".")[0] in ("click", "typer"):
                raise
            print_error(error)
        raise typer.Exit(1)


app = typer.Typer(
    name="pathlake",
    cls=ReportingGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Files in folders and git repositories as typed, versioned, queryable metadata tables.",
)

app.command()(demo)
app.command()(serve)
app.command()(doctor)
app.command()(login)
app.add_typer(repos.app, name="repo")
app.add_typer(datasources.app, name="ds")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"pathlake {package_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Options of the command itself."""


def _leave_quietly() -> None:
    """End as a program in a pipe does whose reader has gone, without Python's complaint at exit."""
    sys.stderr.close()
    raise typer.Exit(141)


if __name__ == "__main__":
    app()
