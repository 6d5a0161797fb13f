"""Every word that pages show goes through the catalogue: in a language whose words are all in ⟦brackets⟧, nothing stands outside
but what people wrote, names and instants.

The language is made of the msgids that there are and read by the real machinery, in place of the Spanish one. Values stand outside
the brackets of their sentence, so that a word of ours that is put into one is seen.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

import pytest
from babel.dates import get_day_names, get_month_names
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from models.choices import choose
from server import language
from server.keys import DATABASE
from server.web.words import LANGUAGES
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.federation.people import LOGINS, PROPOSAL, QUESTION, REASON
from tests.server.web.browser import Browser, Element, Page
from tests.server.web.conftest import Enter
from tests.words import msgids

WRITTEN: Final = (QUESTION, PROPOSAL, REASON, "Monday", "Friday", "short", "x")  # by the people of this world
NAMES: Final = (
    *(login.title() for login in LOGINS),
    *LOGINS,
    "oak",
    "elm",
    "Oak Collective",
    "Elm Collective",
)
OURS: Final = {  # text: why it is the same in every language
    "Jura": "the name of the software",
    "AGPL": "the name of a licence",
    "draft-cavage": "the name of a way to sign",
    "The assembly": "the name of a circle, written once",
    "Circle 1": "the name of a circle, written once",
    "Circle 2": "the name of a circle, written once",
    "Found this collective: admit its first members and hold its first decisions.": "a purpose, written once",
    **{named.words: "languages are called what they call themselves" for named in LANGUAGES.values()},
}
# Pages that show what things are called in code (tones, drawings, colours): there a small word by itself is such a name.
OF_NAMES: Final = ("/styleguide",)
A_NAME: Final = re.compile(r"[a-z]+|#[0-9a-f]{6}")

READ: Final = ("title", "aria-label", "alt", "placeholder", "label", "aria-description")
SKIPPED: Final = ("code", "pre", "kbd", "samp", "style", "script")
LETTERS: Final = re.compile(r"[^\W\d_]")
SAID: Final = re.compile(r"⟦[^⟦⟧]*⟧")
ADDRESSES: Final = re.compile(
    r"https?://\S+|@[\w.-]+(@[\w.-]+)?|[\w.-]+\.(test|example)\b|\b[0-9a-f]{8,}…?|\b[0-9a-f]{4}( [0-9a-f]{4})+\b"
)
PARTS: Final = re.compile(r"(%\(\w+\)s|%%|\{\w+\}|<[^<>]+>|&#?\w+;)")


# The language


def bracketed(msgid: str) -> str:
    """“Ask {name} again” becomes “⟦Ask ⟧{name}⟦ again⟧”: values, tags and entities stay outside."""
    return "".join(
        f"⟦{part}⟧" if LETTERS.search(part) and not PARTS.fullmatch(part) else part
        for part in PARTS.split(msgid)
    )


@pytest.fixture
def brackets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Spanish is the language of brackets."""
    made = Catalog(locale="es")
    for context, one, many in msgids():
        made.add(
            (one, many) if many else one,
            (bracketed(one), bracketed(many)) if many else bracketed(one),
            context=context or None,
        )
    file = tmp_path / "words" / "es" / "LC_MESSAGES" / "jura.po"
    file.parent.mkdir(parents=True)
    with file.open("wb") as there:
        write_po(there, made, width=0)
    monkeypatch.setattr(language, "FOLDER", tmp_path / "words")
    language.catalogue.cache_clear()
    yield
    language.catalogue.cache_clear()


# What a page says beside it


def dates() -> re.Pattern[str]:
    days = "|".join(get_day_names("wide", locale="es").values())
    months = "|".join(get_month_names("wide", locale="es").values())
    return re.compile(rf"(({days}), )?\d+ de ({months}) de \d{{4}}(, \d\d:\d\d UTC)?|\b({days})\b|\bUTC\b")


DATES: Final = dates()
PEOPLES: Final = re.compile(
    "|".join(
        rf"(?<!\w){re.escape(text)}(?!\w)"
        for text in sorted((*WRITTEN, *NAMES, *OURS), key=len, reverse=True)
    )
)


ZONES: Final = frozenset(zone.replace("_", " ") for zone in available_timezones())


def beside(text: str) -> str:
    """What is left of a text without what was said, written, named and dated."""
    if text.strip() in ZONES:
        return ""
    for known in (SAID, DATES, ADDRESSES, PEOPLES):
        text = known.sub(" ", text)
    return " ".join(text.split()) if LETTERS.search(text) else ""


def texts(element: Element) -> Iterator[str]:
    for name in READ:
        yield element.attributes.get(name, "")
    if element.tag == "meta" and element.get("name") == "description":
        yield element.attributes.get("content", "")
    for child in element.children:
        if isinstance(child, str):
            yield child
        elif child.tag not in SKIPPED:
            yield from texts(child)


def shape(path: str) -> str:
    """A page without its numbers and what is asked of it."""
    return re.sub(r"(?<=[/=-])([0-9a-f]{12,}|[0-9]+)(?=[/?&#-]|$)", "*", path.partition("?")[0])


class Reader:
    """Goes through pages and notes what is beside the catalogue: page → texts."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.browser.session.headers["Accept-Language"] = "es"
        self.found: dict[str, set[str]] = {}
        self.seen: set[str] = set()

    def read(self, page: Page, name: str = "") -> Page:
        assert page.all("html")[0].get("lang") == "es", page.url
        left = {found for text in texts(page.root) if (found := beside(text))}
        where = name or shape(page.path)
        if where in OF_NAMES:
            left = {one for one in left if not A_NAME.fullmatch(one)}
        if left:
            self.found.setdefault(where, set()).update(left)
        return page

    async def look(self, *paths: str) -> None:
        """These pages, and one of each shape that a link of theirs leads to."""
        ahead = list(paths)
        while ahead:
            path = ahead.pop(0)
            page = await self.browser.get(path)
            self.seen.add(shape(path))
            if not page.headers["Content-Type"].startswith("text/html"):
                continue
            self.read(page, shape(path))
            for link in page.all("a"):
                there = link.attributes["href"].removeprefix(self.browser.home).partition("#")[0]
                if there.startswith("/") and shape(there) not in self.seen:
                    self.seen.add(shape(there))
                    ahead.append(there)

    async def send(self, path: str, action: str, **answers: str) -> None:
        self.read(
            await self.browser.send(await self.browser.get(path), action, **answers), f"{shape(path)} sent"
        )


async def test_every_word_of_a_page_is_said_in_the_language_of_its_reader(
    brackets: None, meetings: Meetings, enter: Enter
) -> None:
    plan = {"method": "consent", "challenge": timedelta(hours=4)}
    async with meetings.voting(oak=3, elm=7, plan=plan) as fed:
        ana, visitor = Reader(await enter(fed, "oak", "ana")), Reader(await enter(fed, "oak"))
        await before_the_end(ana, visitor, f"/decisions/{fed.decision}")
        await of_the_charter(ana, visitor, fed)
        await until_the_end(ana, fed)
    assert len(ana.seen | visitor.seen) > 50, "pages that are not looked at show nothing"
    pages = sorted({*ana.found, *visitor.found})
    beside = {page: sorted(ana.found.get(page, set()) | visitor.found.get(page, set())) for page in pages}
    assert not beside, "\n".join(f"{page}: {one!r}" for page, said in beside.items() for one in said)


async def before_the_end(ana: Reader, visitor: Reader, path: str) -> None:
    await visitor.look("/", "/login", "/join/unknown", "/nothing", "/@assembly", path)
    await visitor.send("/login", "/login", login="ana", password="wrong one")
    await ana.look("/", path, f"{path}/circle", f"{path}/answer", f"{path}/propose", f"{path}/withdraw")
    await ana.look(f"{path}/circle/drafts", f"{path}/count", f"{path}/timeline", "/decisions", "/@oak")
    await ana.send("/decisions/new", "/decisions/new", about__2="x", window="custom")
    await ana.send(f"{path}/circle", "/draft", position="object", reason="short")


async def of_the_charter(ana: Reader, visitor: Reader, fed: Federation) -> None:
    """What is asked there is written once, in the language of the instance."""
    async with fed.app_of("oak")[DATABASE].ACT.begin() as session:
        await choose(session, "language", "es", fed.clock.now(), None)
    await ana.send("/charter/change", "/charter/change", why="x", talk="x")
    await ana.send("/charter/change", "/charter/change", why=QUESTION, window="604800", talk="24h")
    for reader in (ana, visitor):
        for path in ("/charter", "/@oak"):
            reader.read(await reader.browser.get(path), path)


async def until_the_end(ana: Reader, fed: Federation) -> None:
    path = f"/decisions/{fed.decision}"
    circle = await fed.oak.circle()
    number = await circle.draft("concern")
    await circle.confirm(number, 0)
    ana.read(await ana.browser.get(f"{path}/circle"))
    await circle.confirm(number, 1)
    await fed.elm.ballot("concern")
    await fed.settle()
    for moment in ("closes", "grace_ends", "challenge_ends"):
        await fed.reach(moment)
        for place in ("/", path, f"{path}/circle", f"{path}/count", f"{path}/timeline", "/notices"):
            ana.read(await ana.browser.get(place))
