"""The posting budget of a feed, as properties of whole days: whatever comes, whenever somebody looks."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.rules.passing import HOUR, ask_again_at, plan

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
arrivals = st.lists(st.integers(0, 6 * 3600), max_size=60).map(sorted)


class Day:
    """A feed that is looked at whenever something came, and when the plan said; and at other times too."""

    def __init__(self, came: list[int], budget: int, looks: list[int]) -> None:
        self.waiting: list[datetime] = []
        self.shown: list[datetime] = []
        self.digests: list[tuple[datetime, int]] = []
        self.waited: list[timedelta] = []
        self.budget = budget
        coming = [START + timedelta(seconds=second) for second in came]
        others = sorted(START + timedelta(seconds=second) for second in looks)
        due: datetime | None = None
        while moments := coming[:1] + others[:1] + ([due] if due else []):
            now = min(moments)
            while coming and coming[0] <= now:
                self.waiting.append(coming.pop(0))
            others = [at for at in others if at > now]
            due = self.look(now)
            assert due is None or due > now, "it would look again at once, for ever"

    def look(self, now: datetime) -> datetime | None:
        found = plan(self.waiting, self.shown, self.budget, now)
        assert not (found.show and found.digest)
        told = len(self.waiting) if found.digest else found.show
        self.waited += [now - since for since in self.waiting[:told]]
        self.waiting = self.waiting[told:]
        self.shown += [now] * found.show
        if found.digest:
            self.digests.append((now, told))
        assert bool(self.waiting) == (found.look_at is not None)
        return found.look_at


@given(arrivals, st.integers(0, 8), st.lists(st.integers(0, 8 * 3600), max_size=10))
def test_each_post_goes_out_once_within_the_budget_and_within_an_hour(
    came: list[int], budget: int, looks: list[int]
) -> None:
    day = Day(came, budget, looks)
    assert len(day.shown) + sum(many for _, many in day.digests) == len(came)
    for at in day.shown:
        assert len([one for one in day.shown if at - HOUR < one <= at]) <= budget
    told = [at for at, _ in day.digests]
    assert all(later - earlier >= HOUR for earlier, later in itertools.pairwise(told))
    assert all(waited <= HOUR for waited in day.waited)


@given(arrivals)
def test_with_room_enough_nothing_waits_and_there_is_no_digest(came: list[int]) -> None:
    day = Day(came, 60, [])
    assert day.digests == []
    assert set(day.waited) <= {timedelta(0)}


def test_the_oldest_are_shown_and_the_rest_is_looked_at_when_a_place_gets_free() -> None:
    waiting = [START] * 5
    found = plan(waiting, [START - timedelta(minutes=50)], 3, START)
    assert (found.show, found.digest, found.look_at) == (2, False, START + timedelta(minutes=10))
    found = plan(waiting, [], 0, START + HOUR)
    assert (found.show, found.digest, found.look_at) == (0, True, None)


def test_who_does_not_answer_is_asked_again_after_three_days_and_three_times() -> None:
    assert [ask_again_at(START, times) for times in (1, 2, 3, 4)] == [START + timedelta(days=3)] * 3 + [None]
