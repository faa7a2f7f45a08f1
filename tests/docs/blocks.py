"""Reads the code blocks of a Markdown page, with the comments that say how each is run."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

_COMMENT = re.compile(r"^\s*<!--\s*(?P<verb>setup|output|not run)\s*(?::\s*(?P<what>.*?))?\s*-->\s*$")
_FENCE = re.compile(r"^(?P<indent>\s*)(?P<fence>`{3,})\s*(?P<language>[\w+-]*).*$")

RUNNABLE = frozenset({"python", "console", "bash", "sh", "shell", "pycon"})


@dataclass(frozen=True, slots=True)
class Block:
    """A code block.

    Attributes:
        language: As the fence says, maybe empty.
        text: The code, without common indentation.
        line: Line of the first line of code, from 1.
        setup: Fixtures to run before it.
        is_output: Whether it is what the block before it prints.
        not_run: Why it is not run; None where it is.
    """

    language: str
    text: str
    line: int
    setup: tuple[str, ...] = ()
    is_output: bool = False
    not_run: str | None = None


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page, from top to bottom."""
    return parse(page.read_text(encoding="utf-8"))


def parse(markdown: str) -> list[Block]:
    """Return the blocks of a Markdown text."""
    found: list[Block] = []
    setup: list[str] = []
    is_output = False
    not_run: str | None = None
    fence: str | None = None
    language = ""
    start = 0
    lines: list[str] = []
    for number, line in enumerate(markdown.splitlines(), 1):
        if fence is not None:
            if line.strip() == fence:
                text = textwrap.dedent("\n".join(lines))
                found.append(Block(language, text, start, tuple(setup), is_output, not_run))
                fence, setup, is_output, not_run, lines = None, [], False, None, []
            else:
                lines.append(line)
            continue
        comment = _COMMENT.match(line)
        if comment is not None:
            verb, what = comment["verb"], comment["what"] or ""
            if verb == "setup":
                setup.append(what)
            elif verb == "output":
                is_output = True
            else:
                not_run = what
            continue
        opening = _FENCE.match(line)
        if opening is not None:
            fence, language, start = opening["fence"], opening["language"], number + 1
    return found


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a console block and what it prints."""

    text: str
    output: str


def commands_of(block: Block) -> list[Command]:
    """Split a console block at its prompts; a backslash at a line's end goes on with the command."""
    found: list[tuple[str, list[str]]] = []
    continues = False
    for line in block.text.splitlines():
        if continues:
            command, output = found[-1]
            found[-1] = (f"{command}\n{line}", output)
            continues = line.endswith("\\")
        elif line.startswith("$ "):
            found.append((line[2:], []))
            continues = line.endswith("\\")
        elif found:
            found[-1][1].append(line)
    return [Command(command, "\n".join(output).strip("\n")) for command, output in found]


def matches(expected: str, printed: str) -> bool:
    """Whether a program printed what a page shows; `...` stands for anything, spaces at line ends for nothing."""

    def tidy(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.strip().splitlines())

    pattern = ".*?".join(re.escape(part) for part in tidy(expected).split("..."))
    return re.fullmatch(pattern, tidy(printed), re.DOTALL) is not None
