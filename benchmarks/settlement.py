"""How fast money follows from verdicts: other plans tried on past months.

python -m benchmarks.settlement --json prints an object with figures, ratios and missing peers,
in processor time on one core. The peers come with the extra `bench`.
"""

import argparse
import json
from typing import Any

from benchmarks import what_if


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--what-if", default="20000,200000,2000000", help="nodes to try a plan on")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    sizes = [int(size) for size in asked.what_if.split(",")]
    report = {"what_if": [what_if.measure(size, asked.rounds) for size in sizes]}
    print(json.dumps(report, indent=1) if asked.json else _told(report))


def _told(report: dict[str, list[dict[str, Any]]]) -> str:
    return "\n".join(
        f"{part}: {name} {value}"
        for part, measured in report.items()
        for one in measured
        for name, value in (one["figures"] | one["ratios"]).items()
    )


if __name__ == "__main__":
    main()
