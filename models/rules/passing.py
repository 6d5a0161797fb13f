"""How a feed spends its posting budget: what is shown at once, what waits, and what goes out together in a digest.

At most `budget` posts are shown within any hour, the oldest first. What found no room waits. When something has waited for an hour,
everything that waits goes out as one digest; so there is at most one digest an hour, and nobody waits longer than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
BUDGET = 6
MOST_BUDGET = 60
MOST_LISTED = 20
"""In one digest; of the others it says how many they are."""

ASK_AGAIN_AFTER = timedelta(days=3)
MOST_ASKED_AGAIN = 3


@dataclass(frozen=True)
class Plan:
    """What to do now: show the first `show` of those that wait, or tell all of them in a digest; and when to look again."""

    show: int
    digest: bool
    look_at: datetime | None


def plan(waiting: Sequence[datetime], shown: Sequence[datetime], budget: int, now: datetime) -> Plan:
    """`waiting`: since when each post waits, oldest first. `shown`: when posts were shown lately."""
    if not waiting:
        return Plan(0, False, None)
    if waiting[0] <= now - HOUR:
        return Plan(0, True, None)
    lately = sorted(at for at in shown if at > now - HOUR)
    room = max(0, min(budget - len(lately), len(waiting)))
    rest = waiting[room:]
    if not rest:
        return Plan(room, False, None)
    moments = [rest[0] + HOUR]
    if budget and (spent := lately + [now] * room):
        moments.append(spent[max(0, len(spent) - budget)] + HOUR)
    return Plan(room, False, min(moments))


def ask_again_at(asked: datetime, times: int) -> datetime | None:
    """When a collective that has not answered is asked again to be followed; None once it was asked often enough."""
    return asked + ASK_AGAIN_AFTER if times <= MOST_ASKED_AGAIN else None
