"""Draw `docs/images/demo.svg`: what `pathlake demo` prints, from a real run on this machine."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from pathlake.cli.demo import own_home, run

TARGET = Path(__file__).parents[1] / "docs" / "images" / "demo.svg"
COLUMNS = 108


def main() -> None:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print("[bold green]$[/] make demo")
    with tempfile.TemporaryDirectory() as folder, own_home(Path(folder) / "home"):
        run(Path(folder), console=console)
    picture = console.export_svg(title="pathlake demo")
    # The reader's own monospaced font; rich would fetch one from elsewhere.
    picture = re.sub(r"@font-face\s*{.*?}", "", picture, flags=re.DOTALL)
    picture = picture.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace")
    picture = re.sub(r"<!--.*?-->\s*", "", picture, flags=re.DOTALL)
    TARGET.write_text(re.sub(r"\n[ \t]*(?=\n)", "", picture), encoding="utf-8")


if __name__ == "__main__":
    main()
