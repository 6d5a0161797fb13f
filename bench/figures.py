"""What a benchmark says: a figure, its limit, their ratio, what is aimed at, whether that is met, and how noisy it was."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """`limit` was measured in the same run by the same means; without one there is no ratio. `rounds` are all that were
    run, of which `figure` is the best."""

    name: str
    figure: float
    unit: str
    limit: float | None = None
    limit_is: str = ""
    aim: str = ""
    met: bool | None = None
    rounds: Sequence[float] = field(default=())
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return None if not self.limit else self.figure / self.limit

    @property
    def noise(self) -> float | None:
        """How far the worst round was from the best, in percent of the best."""
        if len(self.rounds) < 2 or not self.figure:
            return None
        return max(abs(one - self.figure) for one in self.rounds) / self.figure * 100

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "noise": self.noise}

    def line(self) -> str:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        limit = "" if self.limit is None else number(self.limit)
        noise = "" if self.noise is None else f"{self.noise:.0f} %"
        met = {True: "yes", False: "NO", None: ""}[self.met]
        cells = (
            f"{self.name:38} {number(self.figure):>9} {self.unit:9}",
            f"{limit:>9} {ratio:>6}  {self.aim:10} {met:4} {noise:>6}",
        )
        return "".join(cells).rstrip()


HEADING = f"{'':38} {'figure':>9} {'':9}{'limit':>9} {'ratio':>6}  {'aim':10} {'met':4} {'noise':>6}"


def number(value: float) -> str:
    """Three digits that mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def rate(
    name: str,
    unit: str,
    once: Callable[[], float],
    limit_once: Callable[[], float],
    limit_is: str,
    rounds: int,
    at_least: float | None = None,
) -> Figure:
    """A rate and its limit, measured in turns so that both see the same neighbours; of each the best round."""
    figures, limits = [], []
    for _ in range(rounds):
        limits.append(limit_once())
        figures.append(once())
    limit, best = max(limits), max(figures)
    aim, met = ("", None) if at_least is None else (f">= {at_least:g}", best / limit >= at_least)
    return Figure(name, best, unit, limit, limit_is, aim, met, tuple(figures))
