"""`python -m tests.acceptance.crash --kills 40 --seed 1`: a campaign and its table."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.acceptance.crash.campaign import Campaign
from tests.acceptance.crash.table import show


def main() -> int:
    """Run one campaign and print what it found; 1 when something broke a promise."""
    asked = argparse.ArgumentParser(prog="python -m tests.acceptance.crash")
    asked.add_argument("--kills", type=int, default=40)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--at-once", type=int, default=8, help="tickets in work at once")
    asked.add_argument("--keep", type=Path, help="folder for logs and data, kept afterwards")
    options = asked.parse_args()
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {line}", flush=True)  # noqa: T201

    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        place = options.keep or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o711)
        campaign = Campaign(
            options.seed, options.kills, place, say,
            workers=options.workers, at_once=options.at_once,
        )  # fmt: skip
        report = asyncio.run(campaign.run())
    show(report)
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
