"""Drains long backlogs across kills of everything: python -m simulators.campaigns.backlog.

Exit status 1 when a record did not arrive, arrived twice or altered.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from simulators.kills.backlog import drain


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; 0 when everything arrived, each once."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.campaigns.backlog", description=__doc__
    )
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--batches", default="10000,1000,100,10,1", help="records of a block")
    parser.add_argument("--folder", type=Path, default=Path("var"), help="on the disk to use")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    is_clean = True
    for batch in map(int, options.batches.split(",")):
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            drained = asyncio.run(drain(Path(name).absolute(), options.records, batch))
        sys.stdout.write(json.dumps(drained.as_dict()) + "\n")
        sys.stdout.flush()
        is_clean &= drained.is_clean
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
