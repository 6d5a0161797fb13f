"""When digests are due, wherever somebody lives and whatever the clocks there do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules.digests import HOURS, WEEKDAYS, next_digest

ZONES = ("UTC", "Europe/Lisbon", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia")
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
instants = st.integers(0, 6 * 365 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))


@given(instants, st.sampled_from(ZONES), st.sampled_from(HOURS), st.sampled_from((None, *WEEKDAYS)))
def test_it_is_later_at_that_hour_on_that_day_and_none_is_left_out(
    after: datetime, zone: str, hour: int, weekday: int | None
) -> None:
    then = next_digest(after, ZoneInfo(zone), hour, weekday)
    local = then.astimezone(ZoneInfo(zone))
    assert then > after
    assert then - after <= timedelta(days=1 if weekday is None else 7, hours=1)
    assert local.hour == hour or timedelta(0) < local - local.replace(hour=hour) <= timedelta(hours=1)
    assert weekday in (None, local.weekday())
    assert next_digest(then - timedelta(seconds=1), ZoneInfo(zone), hour, weekday) == then


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("2026-03-28T07:30:00+00:00", "2026-03-28T08:00:00+00:00"),  # winter in Lisbon
        ("2026-03-28T08:00:00+00:00", "2026-03-29T07:00:00+00:00"),  # the day on which summer time begins
        ("2026-10-24T07:00:00+00:00", "2026-10-25T08:00:00+00:00"),  # … and on which it ends
    ],
)
def test_eight_in_the_morning_stays_eight_when_the_clocks_change(after: str, expected: str) -> None:
    found = next_digest(datetime.fromisoformat(after), ZoneInfo("Europe/Lisbon"), 8)
    assert found == datetime.fromisoformat(expected)
