"""The words of the pages: complete for every code that the rules can give, and the same as what the manual promises."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.rules import shapes
from models.rules.mandates import POWERS
from models.rules.methods import METHODS
from models.rules.view import STATES
from server.web import moments, plans, words
from server.web.passwords import HASHER, NOBODY
from server.web.phases import SENTENCES
from server.web.render import ROOT, paragraphs, short
from tests.federation.meetings import Meetings
from tests.server.web.conftest import Enter

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def test_there_are_words_for_everything_that_the_rules_can_say() -> None:
    assert set(words.STATES) == set(SENTENCES) == set(STATES)
    assert set(words.METHODS) == set(METHODS)
    assert set(words.POSITIONS) == {p for method in METHODS.values() for p in method.positions}
    assert set(words.POSITION_HINTS) == set(words.POSITIONS)
    assert set(words.POWERS) == set(POWERS)
    assert set(words.RECORDS) == set(shapes.SHAPES)


def test_there_are_words_for_every_reason_why_a_record_has_no_effect() -> None:
    manual = (ROOT / "docs" / "records.md").read_text()
    table = manual.split("without effect", 2)[2].split("\n#", 1)[0]
    codes = set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE))
    assert codes
    assert codes == set(words.IGNORED)


def sentences(html: str) -> str:
    """The words alone; a manual has straight apostrophes, a page those of print."""
    text = re.sub(r"<[^>]+>|[*_`]", "", html).replace("&quot;", '"')
    return " ".join(text.replace("'", "’").split())


async def test_the_about_page_makes_the_same_promises_as_the_threat_model(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        page = sentences((await (await enter(fed, "oak")).get("/about")).text)
    manual = (ROOT / "docs" / "threat-model.md").read_text().split("## Against whom")[1]
    manual = manual.split("- Tell us about weaknesses")[0]
    promises = [
        cell.strip()
        for block in re.split(r"\n\s*\n|\n- |\n(?=\|)", manual)
        for cell in block.strip().strip("|").split("|")
    ]
    for promise in promises:
        said = sentences(promise.removeprefix("- ").removeprefix("## "))
        if not re.fullmatch(r"[-: ]*", said):
            assert said in page, said


def tokens(scheme: str) -> dict[str, str]:
    """The colours of the stylesheet, light or dark."""
    sheet = Path(ROOT / "server" / "static" / "jura.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)[:2]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light if scheme == "light" else dark))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_told_apart_in_light_and_dark(scheme: str) -> None:
    """WCAG 2.2: 4.5 to 1 for text, 3 to 1 for borders of fields, bars and the mark of focus."""
    colours = tokens(scheme)
    for ground in ("paper", "sheet", "wash"):
        for text in ("ink", "soft", "accent", "ok", "warn", "bad"):
            assert contrast(colours[text], colours[ground]) >= 4.5, f"{text} on {ground}"
        for line in ("edge", "focus"):
            assert contrast(colours[line], colours[ground]) >= 3, f"{line} on {ground}"
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5


@pytest.mark.parametrize(
    ("away", "said"),
    [
        (timedelta(seconds=30), "in less than a minute"),
        (timedelta(minutes=1), "in 1 minute"),
        (timedelta(minutes=119, seconds=59), "in 119 minutes"),
        (timedelta(hours=2), "in 2 hours"),
        (timedelta(hours=71, minutes=59), "in 71 hours"),
        (timedelta(days=3), "in 3 days"),
        (timedelta(0), "just now"),
        (-timedelta(seconds=59), "just now"),
        (-timedelta(hours=5), "5 hours ago"),
    ],
)
def test_how_far_away_an_instant_is_never_promises_more_time_than_there_is(
    away: timedelta, said: str
) -> None:
    assert moments.distance(NOW + away, NOW) == said


def test_instants_and_lengths_are_written_in_full() -> None:
    assert moments.date_words(NOW) == "Sunday 22 November 2026, 10:00 UTC"
    assert moments.machine(NOW) == "2026-11-22T10:00:00Z"
    lengths = [
        timedelta(hours=48),
        timedelta(days=7),
        timedelta(minutes=5),
        timedelta(seconds=90),
        timedelta(hours=1),
    ]
    assert [moments.span(one) for one in lengths] == [
        "48 hours",
        "7 days",
        "5 minutes",
        "90 seconds",
        "1 hour",
    ]


def test_every_length_on_offer_is_one() -> None:
    for name in ("gather", "window", "grace", "challenge", "max_wait", "ratify"):
        for value in plans.SELECTS[name][0]:
            assert value == "custom" or plans.span_of(value) >= timedelta()


def test_plain_text_keeps_its_paragraphs_and_lines_and_nothing_else() -> None:
    assert paragraphs("a <b>\nc\n\n \nd & e\n") == "<p>a &lt;b&gt;<br>c</p>\n<p>d &amp; e</p>"
    assert short("0123456789abcdef") == "0123 4567 89ab"


def test_an_unknown_name_costs_as_much_as_a_wrong_password() -> None:
    assert not HASHER.check_needs_rehash(NOBODY)
