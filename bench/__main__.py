"""`python -m bench [NAME …] [--rounds N] [--json]`."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence

from bench import actors, delivery, followers, inbox, live, overload, pages, records, startup, tally
from bench.cores import LOAD, MEASURED, pin
from bench.figures import HEADING, Figure

MEASURES: dict[str, Callable[[int], list[Figure]]] = {
    "inbox": inbox.measure,
    "overload": overload.measure,
    "records": records.measure,
    "delivery": delivery.measure,
    "followers": followers.measure,
    "actors": actors.measure,
    "startup": startup.measure,
    "tally": tally.measure,
    "pages": pages.measure,
    "live": live.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What limits this server.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASURES)}; all if none is said"
    )
    parser.add_argument("--rounds", type=int, default=3, help="of each measure; the best counts (default 3)")
    parser.add_argument("--json", action="store_true", help="one JSON document in place of the table")
    args = parser.parse_args(arguments)
    if unknown := set(args.names) - set(MEASURES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    pin(LOAD)
    if not args.json:
        print(
            f"{os.cpu_count()} cores, measured on {MEASURED}, load from {LOAD}; best of {args.rounds} rounds; "
        )
        print(f"load average of the machine before: {os.getloadavg()[0]:.1f}\n\n{HEADING}")
    found = []
    for name in args.names or MEASURES:
        for figure in MEASURES[name](args.rounds):
            found.append(figure)
            if not args.json:
                print(figure.line() + (f"  ({figure.note})" if figure.note else ""), flush=True)
    if args.json:
        print(json.dumps([figure.as_json() for figure in found], indent=1))
    else:
        print("\nlimit: " + "; ".join(f"{n}: {what}" for n, what in _limits(found).items()))
    return 0


def _limits(found: Sequence[Figure]) -> dict[str, str]:
    return {figure.name.split(":")[0].split(",")[0]: figure.limit_is for figure in found if figure.limit_is}


if __name__ == "__main__":
    sys.exit(main())
