"""What it costs to say where a decision stands, with all ballots, receipts, close statements and results of so many circles;
and the root of a set of ten thousand digests, beside the hashing alone that it needs."""

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta

from bench import place
from bench.cores import alone, say
from bench.figures import Figure
from models.rules.merkle import set_root
from models.rules.standing import standing
from tests.models.rules.builders import NAMES, Joint

COLLECTIVES = 5
CIRCLES = (10, 100, 250)
DIGESTS = 10_000


def measure(rounds: int) -> list[Figure]:
    figures = []
    for circles in CIRCLES:
        runs = [alone("bench.tally", "count", circles=circles) for _ in range(rounds)]
        best = min(seconds for seconds, _ in runs)
        name = f"standing, {circles} circles, {runs[0][1]} records"
        figures.append(Figure(name, best * 1000, "ms", rounds=tuple(s * 1000 for s, _ in runs)))
    roots, hashing = zip(*(alone("bench.tally", "root") for _ in range(rounds)), strict=True)
    figures.append(
        Figure(
            f"set root of {DIGESTS:,} digests",
            min(roots) * 1000,
            "ms",
            min(hashing) * 1000,
            "the same number of SHA-256",
            rounds=tuple(seconds * 1000 for seconds in roots),
        )
    )
    return figures


# On the measured core


def count(circles: int) -> None:
    decision = Joint(NAMES[:COLLECTIVES], circles // COLLECTIVES).prepare()
    for circle in decision.roll:
        decision.vote(circle)
    decision.finish()
    now = decision.challenge + timedelta(minutes=1)
    if standing(decision.records, now).state != "final":
        raise RuntimeError("the decision did not become final")
    say([_best(lambda: standing(decision.records, now)), len(decision.records)])


def root() -> None:
    digests = [place.digest_of(str(number)) for number in range(DIGESTS)]
    leaf = b"\x01" + bytes(64)

    def hash_alone() -> None:
        for _ in range(2 * DIGESTS - 1):
            hashlib.sha256(leaf).digest()

    say([_best(lambda: set_root(digests)), _best(hash_alone)])


def _best(work: Callable[[], object], times: int = 5) -> float:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)
