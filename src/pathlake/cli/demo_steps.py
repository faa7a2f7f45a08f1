"""What the demo does, step by step, through the public client."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pathlake.cli import demo_digits, rest
from pathlake.cli.demo import DATASET, DATASOURCE, REPO, Steps
from pathlake.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Sequence

REOPEN = """
import json, sys
from pathlake import datasets
ds = datasets.get_dataset(sys.argv[1], sys.argv[2])
print(json.dumps({"count": ds.count()}))
"""
"""What the second process runs."""


def run_steps(folder: Path, steps: Steps) -> float:
    """Run the demo in `folder` and return the classifier's accuracy on digits it has not seen."""
    repository = folder / "repository"
    with steps.step("Write the images into a git repository") as outcome:
        digits = demo_digits.load_digits()
        commit = demo_digits.write_repository(digits, repository)
        outcome.append(f"{len(digits):,} PNG files, commit {commit[:8]}")

    with steps.step("Start the engine, connect the repository") as outcome:
        rest.create_repo(REPO, description="Handwritten digits")
        rest.connect_repo(REPO, str(repository), revision=None)
        outcome.append(f"repo {REPO}")

    from pathlake import datasets, datasources

    with steps.loud_step("Create a datasource and scan it") as outcome:
        ds = datasources.create_datasource(REPO, DATASOURCE, demo_digits.DIGITS_FOLDER, "main")
        ds.wait_until_ready()
        outcome.append(f"{ds.count():,} datapoints with size, media type, width and height")

    with steps.loud_step("Upload metadata from a dataframe") as outcome:
        frame = digits.metadata()
        ds.upload_metadata_from_dataframe(frame, path_column="path")
        outcome.append(", ".join(column for column in frame.columns if column != "path"))

    with steps.step("Query") as outcome:
        training = ds[(ds["split"] == "train") & (ds["mean_ink"] > 60)]
        held_out = ds[ds["split"] == "test"]
        sevens = ds[(ds["digit"] == 7) & ~(ds["mean_ink"].between(60, 90))]
        outcome.append(f'split == "train" and mean_ink > 60: {training.count():,}')
        outcome.append(f'split == "test": {held_out.count():,}')
        outcome.append(f"digit == 7 and not 60 <= mean_ink <= 90: {sevens.count():,}")

    with steps.step("Save the first query as a dataset") as outcome:
        training.save_dataset(DATASET)
        outcome.append(DATASET)

    with steps.step("Reopen it in a second process") as outcome:
        outcome.append(f"{_count_elsewhere():,} datapoints there, too")

    with steps.loud_step("Read the files of the query results") as outcome:
        train_files, train_digits = _files_and_digits(datasets.get_dataset(REPO, DATASET))
        test_files, test_digits = _files_and_digits(held_out)
        outcome.append(f"{len(train_files):,} to learn from, {len(test_files):,} to be judged by")

    with steps.step("Train a classifier") as outcome:
        model = demo_digits.train(train_files, train_digits)
        accuracy = demo_digits.accuracy(model, test_files, test_digits)
        outcome.append(f"accuracy {accuracy:.1%}")
    return accuracy


def _files_and_digits(ds: object) -> tuple[list[bytes], list[int]]:
    frame = ds.all().dataframe  # type: ignore[attr-defined]
    return read_files(list(frame["dagshub_download_url"])), [int(digit) for digit in frame["digit"]]


def read_files(urls: Sequence[str]) -> list[bytes]:
    """Return the bytes of files of the engine, in the order of their addresses."""
    import httpx

    from pathlake.client.connection import current_connection
    from pathlake.wire.contract import request_headers

    headers = request_headers(current_connection().target.token)
    with httpx.Client(headers=headers, trust_env=False) as client:
        return [client.get(url).raise_for_status().content for url in urls]


def _count_elsewhere() -> int:
    child = subprocess.run(
        [sys.executable, "-c", REOPEN, REPO, DATASET], capture_output=True, text=True, check=False, timeout=60
    )
    if child.returncode != 0:
        raise InternalError(f"The second process failed: {child.stderr.strip()}")
    return int(json.loads(child.stdout)["count"])
