"""What exists has its place in the docs: routes, settings, error codes, commands, operators."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from pathlake.cli.main import app
from pathlake.errors import error_classes
from pathlake.server.errors import STATUS

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "pathlake").rglob("*.py"))

VARIABLE = re.compile(r"^(PATHLAKE|DAGSHUB)_[A-Z][A-Z_]+$")


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def _strings_of_the_sources() -> set[str]:
    found: set[str] = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_environment_variable_is_a_documented_setting() -> None:
    used = {text for text in _strings_of_the_sources() if VARIABLE.match(text)}
    assert "PATHLAKE_HOME" in used
    documented = set(re.findall(r"^\| `([A-Z_]+)`", _page("settings.md"), re.MULTILINE))
    assert used == documented


def _routes() -> set[tuple[str, str]]:
    """Return method and path of each route, as the server's modules declare them."""
    from pathlake.server import arrow, files, graphql, rest

    found = set()
    services: Any = _Anything()
    for module in (arrow, files, graphql, rest):
        for route in module.routes(services):
            for method in route.methods or ():
                found.add((method, re.sub(r":\w+}", "}", route.path)))
    return found


class _Anything:
    """Stands for the services, which routes only keep while they are declared."""

    def __getattr__(self, name: str) -> Any:
        return _Anything()

    def __call__(self, *args: object, **kwargs: object) -> Any:
        return _Anything()


def test_every_route_is_documented_and_every_documented_one_exists() -> None:
    page = _page("http-api.md").replace("| `R", "| `/api/v1/repos/{owner}/{repo}")
    rows = re.findall(r"^\| ([A-Z, ]+) \| `([^`]+)`", page, re.MULTILINE)
    documented = {(method.strip(), path) for methods, path in rows for method in methods.split(",")}
    routes = {(method, path) for method, path in _routes() if method != "HEAD"} | {("GET", "/healthz")}
    assert {pair for pair in documented if pair[0] != "HEAD"} == routes


@pytest.mark.parametrize("code", sorted(error_classes()))
def test_every_error_code_is_documented_with_its_class_and_status(code: str) -> None:
    cls = error_classes()[code]
    status = STATUS.get(code, 500)
    pattern = rf"^\| `{code}` \| `{cls.__name__}` \| {status} \|"
    assert re.search(pattern, _page("guide/errors.md"), re.MULTILINE), (
        f"errors.md lacks {code}, {cls.__name__}, {status}"
    )


def _commands(command: Any, prefix: str = "pathlake") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, sub in getattr(command, "commands", {}).items():
        path = f"{prefix} {name}"
        if getattr(sub, "commands", None):
            found |= _commands(sub, path)
        else:
            found[path] = sub
    return found


COMMANDS = _commands(typer.main.get_command(app))


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_every_command_and_option_is_documented(path: str) -> None:
    page = _page("guide/cli.md")
    heading = f"### `{path}`\n"
    assert heading in page
    section = page.split(heading, 1)[1].split("\n### ", 1)[0]
    for parameter in COMMANDS[path].params:
        for option in parameter.opts:
            if option.startswith("--") and option != "--help":
                assert f"`{option}`" in section, f"{path} {option} is not documented"
