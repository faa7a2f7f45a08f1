"""The command against a real engine, on a home of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pygit2
import pytest
from PIL import Image
from typer.testing import CliRunner

from pathlake.cli.main import app


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """Standard output as cells."""
        return [line.split("\t") for line in self.out.splitlines()]


class Command:
    """Runs `pathlake` in this process, whose engine answers it."""

    def __call__(self, *arguments: object, answer: str | None = None) -> Answer:
        return self.run([str(argument) for argument in arguments], answer=answer)

    def ok(self, *arguments: object, answer: str | None = None) -> Answer:
        """Run a command that succeeds."""
        found = self(*arguments, answer=answer)
        assert found.code == 0, found
        return found

    def run(self, arguments: Sequence[str], *, answer: str | None) -> Answer:
        """Run a command; `answer` is what is typed."""
        result = CliRunner().invoke(app, list(arguments), input=answer)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def pathlake(fresh_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    monkeypatch.delenv("PATHLAKE_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)
    yield Command()
    from pathlake.server.embedded import stop_all

    stop_all()


def make_repository(folder: Path) -> None:
    """Make a git repository with six images in `data` on `main`, and one more on the branch `more/of-it`."""
    (folder / "data").mkdir(parents=True)
    for index in range(6):
        Image.new("RGB", (100 + 10 * index, 50)).save(folder / "data" / f"{index}.png")
    repository = pygit2.init_repository(str(folder), initial_head="main")
    author = pygit2.Signature("Din", "din@example.org", 1_700_000_000, 0)

    def commit(branch: str, parents: list[Any]) -> Any:
        repository.index.add_all()
        repository.index.write()
        return repository.create_commit(
            f"refs/heads/{branch}", author, author, "Add frames", repository.index.write_tree(), parents
        )

    first = commit("main", [])
    Image.new("RGB", (10, 10)).save(folder / "data" / "6.png")
    commit("more/of-it", [first])


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A git repository `frames`; see `make_repository`."""
    make_repository(tmp_path / "frames")
    return tmp_path / "frames"


@pytest.fixture
def frames(pathlake: Command, images: Path) -> Command:
    """The command, with a datasource `frames` of the repo `simon/yoda`, scanned, with a field `episode`."""
    return make_frames(pathlake, images)


@pytest.fixture(scope="module")
def shared_frames(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """The same for all tests of a module, which only read it, and use no other fixture of this file."""
    from pathlake.server.embedded import stop_all

    folder = tmp_path_factory.mktemp("shared")
    make_repository(folder / "frames")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DAGSHUB_CLIENT_HOST", "DAGSHUB_USER_TOKEN", "PATHLAKE_HOST", "PATHLAKE_TOKEN", "PATHLAKE_DEBUG"):
            patch.delenv(name, raising=False)
        patch.setenv("PATHLAKE_HOME", str(folder / "home"))
        patch.chdir(folder)
        yield make_frames(Command(), folder / "frames")
        stop_all()


def make_frames(pathlake: Command, images: Path) -> Command:
    """Make the datasource `frames` of the repo `simon/yoda`, scan it, and give it the field `episode`."""
    pathlake.ok("repo", "create", "simon/yoda", "--connect", images)
    pathlake.ok("ds", "create", "simon/yoda", "frames", "data", "main", "--wait")
    from pathlake import datasources

    with datasources.get_datasource("simon/yoda", name="frames").metadata_context() as ctx:
        ctx.update_metadata(["0.png", "1.png"], {"episode": 5, "title": "The\tHeiress"})
        ctx.update_metadata("2.png", {"episode": 7, "title": "ünïcode"})
    return pathlake
