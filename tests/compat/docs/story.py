"""The documentation's code from its first block to its last, run as a script of one user.

Usage: story.py FOLDER. The repo of the docs is connected to a git repository, `user/repo` to FOLDER.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from documentation import blocks, without_bucket  # type: ignore[import-not-found]

folder = sys.argv[1]
docs: dict[str, list[str]] = blocks()
names: dict[str, Any] = {}
seen: dict[str, Any] = {}


def run(block: str) -> None:
    exec(compile(block, "the docs", "exec"), names)


# Creating: the repo's path; the bucket's place is taken by a folder.
run(without_bucket(docs["Creating"][0]))
ds = names["ds"]
seen["created"] = [ds.source.name, ds.source.root_url]
names["datasources"].create_datasource("simon/baby-yoda-segmentation-dataset", "bucket-ds", folder)

# Getting
run(docs["Getting"][0])
seen["listed"] = sorted(entry.source.name for entry in names["ds_list"])
run(docs["Getting"][1])
seen["got"] = names["ds"].source.name
names["ds"].wait_until_ready()

# Adding metadata: files that were never scanned become datapoints
run(docs["Adding metadata"][0])
import pandas as pd  # noqa: E402 - the docs' block takes it for granted

names["pd"] = pd
run(docs["Adding metadata from a dataframe"][0])

# Getting data
run(docs["Getting data"][0])
seen["head"], seen["all"] = len(names["head"]), len(names["all"])
run(docs["Getting data"][1])
seen["columns"] = list(names["df"].columns)
seen["metadata"] = {
    point.path: {name: point[name] for name in ("episode", "has_baby_yoda", "squirrel_detected")}
    for point in names["all"]
}

# Querying
with names["ds"].metadata_context() as ctx:
    ctx.update_metadata("images/000.jpg", {"episode": 0, "has_baby_yoda": True})
    ctx.update_metadata("images/009.jpg", {"episode": 9, "has_baby_yoda": False})
    ctx.update_metadata("images/010.jpg", {"episode": 10, "has_baby_yoda": True})
run(docs["Example query"][0])
seen["queried"] = sorted(names["df"]["path"])
seen["urls"] = list(names["df"]["dagshub_download_url"])
run(docs["Example query"][1])
seen["composed"] = [point.path for point in names["ds3"].all()]
seen["same"] = names["ds3"].get_query() == names["ds2"].get_query()  # the docs say that they are

# Caveats: the way the docs advise against works too
for block in docs["Caveats"]:
    run(block)
    seen.setdefault("caveats", []).append([point.path for point in names["filtered_ds2"].all()])

# Saving queries: in the repo of that block, with a query
names["ds"] = names["datasources"].get_or_create("user/repo", "folder-ds", folder)
names["ds"].wait_until_ready()
names["ds"] = names["ds"][names["ds"]["size"] > 4]
run(docs["Saving queries"][0])
names["ds"] = None
run(docs["Saving queries"][1])
seen["reopened"] = [point.path for point in names["ds"].all()]

# Deleting asks, and the answer comes from the terminal
run(docs["Deleting a datasource"][0])
seen["left"] = [entry.source.name for entry in names["datasources"].get_datasources("user/repo")]
seen["from"] = sys.modules["dagshub"].__file__

print("SEEN" + json.dumps(seen))
