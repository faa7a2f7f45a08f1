"""The process one measurement runs in: `python -m benchmarks.worker MODULE:FUNCTION JSON`."""

from __future__ import annotations

import importlib
import json
import sys


def main() -> None:
    module, function = sys.argv[1].split(":")
    answer = getattr(importlib.import_module(module), function)(**json.loads(sys.argv[2]))
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
