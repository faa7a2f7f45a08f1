"""The code blocks of the documentation, by the heading they stand under."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = Path(__file__).parent / "data-engine-docs.md"

_HEADING = re.compile(r"#+ +(.*?):?\s*")


def blocks() -> dict[str, list[str]]:
    """Return the Python blocks of each heading, to the letter."""
    found: dict[str, list[str]] = {}
    heading = ""
    block: list[str] | None = None
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines(keepends=True):
        if block is not None:
            if line.startswith("```"):
                found.setdefault(heading, []).append("".join(block))
                block = None
            else:
                block.append(line)
        elif line.startswith("```python"):
            block = []
        else:
            match = _HEADING.fullmatch(line)
            if match:
                heading = match[1]
    return found


def without_bucket(block: str) -> str:
    """Return a block without the lines that need a bucket: those before its `# OR`, imports kept."""
    before, _, after = block.partition("# OR\n")
    imports = [line for line in before.splitlines(keepends=True) if line.startswith("from ")]
    return "".join(imports) + after
