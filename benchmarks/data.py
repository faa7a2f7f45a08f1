"""What is measured on: rows of metadata, a folder of small files, a git repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

PER_DIRECTORY = 1_000
PART_ROWS = 250_000
FIELDS = ("episode", "score", "has_baby_yoda", "label", "caption")


def write_rows(path: Path, *, rows: int) -> None:
    """Write a Parquet file of `rows` paths with five fields: int, float, bool, a label, a text of its own each."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = (pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.string())
    schema = pa.schema(list(map(pa.field, ("path", *FIELDS), types)))
    labels = np.array([f"class-{i:03}" for i in range(500)])
    draw = np.random.default_rng(7)
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, PART_ROWS):
            numbers = range(start, min(start + PART_ROWS, rows))
            count = len(numbers)
            arrays = [
                pa.array([f"images/{i // PER_DIRECTORY:06}/{i:09}.jpg" for i in numbers]),
                pa.array(draw.integers(0, 20, count)),
                pa.array(draw.random(count)),
                pa.array(draw.random(count) < 0.3),
                pa.array(labels[draw.integers(0, len(labels), count)]),
                pa.array([f"frame {i} of the long way home" for i in numbers]),
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))


def write_folder(root: Path, *, files: int) -> None:
    """Write `files` small text files, a thousand to a directory."""
    for start in range(0, files, PER_DIRECTORY):
        directory = root / f"d{start // PER_DIRECTORY:05}"
        directory.mkdir(parents=True)
        for i in range(start, min(start + PER_DIRECTORY, files)):
            (directory / f"{i:08}.txt").write_bytes(b"content %d" % i)


def write_repository(path: Path, *, files: int) -> None:
    """Make a bare git repository, packed as a clone is, with the files of `write_folder` in one commit."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
    lines: list[bytes] = []
    for i in range(files):
        content = b"content %d" % i
        lines.append(b"blob\nmark :%d\ndata %d\n%s\n" % (i + 1, len(content), content))
    lines.append(b"commit refs/heads/main\ncommitter Ada <ada@example.org> 1700000000 +0000\ndata 5\nfiles\n")
    lines += [b"M 100644 :%d d%05d/%08d.txt\n" % (i + 1, i // PER_DIRECTORY, i) for i in range(files)]
    lines.append(b"\n")
    command = ["git", "-C", str(path), "fast-import", "--quiet", "--force"]
    subprocess.run(command, input=b"".join(lines), check=True, stdout=subprocess.DEVNULL)
