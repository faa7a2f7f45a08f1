"""The demo, from nothing to a trained classifier."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PATHLAKE = Path(sys.executable).with_name("pathlake")


def test_the_demo_trains_a_classifier_and_keeps_to_its_own_folder(fresh_home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    done = subprocess.run(
        [PATHLAKE, "demo", "--keep", kept],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        # Settings for another engine must not lead the demo there.
        env={**os.environ, "PATHLAKE_HOST": "http://127.0.0.1:1", "PATHLAKE_TOKEN": "none"},
    )
    assert done.returncode == 0, done.stderr
    assert "1,797 PNG files" in done.stdout
    assert "Reopen it in a second process" in done.stdout
    accuracy = float(done.stdout.rpartition(" ")[2].strip().rstrip("%"))
    assert accuracy > 95
    assert not fresh_home.exists()
    assert (kept / "repository" / ".git").is_dir()
    assert len(list((kept / "repository" / "digits").iterdir())) == 1797
    found = subprocess.run(
        [PATHLAKE, "ds", "query", "you/digits", "digits", "digit == 7", "--count"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PATHLAKE_HOME": str(kept / "home")},
    )
    assert found.stdout == "179\n"
    again = subprocess.run([PATHLAKE, "demo", "--keep", kept], capture_output=True, text=True, check=False, timeout=60)
    assert (again.returncode, "is not empty" in again.stderr) == (1, True)
