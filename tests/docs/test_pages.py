"""Every code block of README and docs runs, from top to bottom of its page, in a fresh home."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import RUNNABLE, Block, blocks_of, commands_of, matches
from tests.docs.stage import FIXTURES, Stage

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
WITH_CODE = [page for page in PAGES if any(block.language in RUNNABLE for block in blocks_of(page))]


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def stage(tmp_path: Path, fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    folder = tmp_path / "page"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("USER", "you")
    found = Stage(folder, monkeypatch)
    yield found
    from pathlake.server.embedded import stop_all

    found.closing.close()
    stop_all()


@pytest.mark.parametrize("page", WITH_CODE, ids=_name)
def test_every_block_of_the_page_runs(page: Path, stage: Stage) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    printed = ""
    for block in blocks_of(page):
        where = f"{_name(page)}:{block.line}"
        for fixture in block.setup:
            stage.set_up(fixture)
        if block.not_run is not None:
            continue
        if block.is_output:
            assert matches(block.text, printed), f"{where} shows\n{block.text}\nbut the block before printed\n{printed}"
        elif block.language == "python":
            printed = _run_python(block, names, filename=str(page))
        elif block.language in ("console", "bash", "sh", "shell"):
            printed = _run_console(block, stage.folder, where=where)


@pytest.mark.parametrize("page", WITH_CODE, ids=_name)
def test_every_block_is_run_or_says_why_not(page: Path) -> None:
    for block in blocks_of(page):
        where = f"{_name(page)}:{block.line}"
        assert block.language, f"{where} has a block without a language; `text` stands for what is no code"
        assert block.not_run is None or len(block.not_run) > 10, f"{where} does not say why it is not run"
        assert block.language != "pycon", f"{where}: python blocks are scripts, without prompts"
        assert set(block.setup) <= set(FIXTURES), f"{where} asks for a fixture that does not exist"
        if block.language in ("console", "bash", "sh", "shell") and block.not_run is None:
            assert commands_of(block), f"{where} has no line that begins with '$ '"


def _run_python(block: Block, names: dict[str, object], *, filename: str) -> str:
    # Empty lines in front make the line numbers of a traceback those of the page.
    code = compile("\n" * (block.line - 1) + block.text, filename, "exec")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, names)
    return out.getvalue()


def _run_console(block: Block, folder: Path, *, where: str) -> str:
    printed = ""
    for command in commands_of(block):
        done = subprocess.run(
            ["bash", "-c", command.text],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        printed = done.stdout + done.stderr
        fails = command.output.startswith("error: ")
        assert (done.returncode != 0) == fails, f"{where}: $ {command.text}\nended with {done.returncode}\n{printed}"
        if command.output:
            assert matches(command.output, printed), (
                f"{where}: $ {command.text}\nshows\n{command.output}\nbut printed\n{printed}"
            )
    return printed
