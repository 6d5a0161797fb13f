"""Every form of every page: nothing in it, too much in it, after the log-in ended, from a page that is old, and sent twice at once.
Nothing typed is lost, the page says what to do, and nothing breaks. The forms are found by walking through the pages."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.headerregistry import Address
from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit

from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from sqlalchemy import delete

from models.accounts import JoinRequest
from models.notices import SecretAddress
from models.people import Login
from server.keys import DATABASE, SETTINGS
from server.settings import Smtp
from server.web.forms import NOT_KEPT
from server.workers import PASSES
from tests.browser.world import TOKEN, said_and_kept
from tests.federation.harness import MINUTE, Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Browser, Element, Page, filled, with_answers
from tests.server.web.conftest import Enter
from tests.server.web.test_every_page import check

TYPED: Final = "Words that somebody typed, no. {}"
SECRET: Final = {"password", "new-password", "again", "code", "login-code"}
OF_DECISIONS: Final = 2  # pages of one kind that are looked at; one of all others
ANSWERS: Final = {200, 403, 404, 409, 410, 422, 429}

ELSEWHERE: Final[
    Mapping[str, str]
] = {  # addresses that take forms and that the walk does not meet: where they are tested
    "/login/code": "test_second.py, after a right password",
    "/me/second/confirm": "test_second.py, after the first step",
    "/me/second/codes": "test_second.py, where there is a second factor",
    "/me/second/off": "test_second.py, where there is a second factor",
    "/moderate/letters": "test_moderating.py, with deliveries that were given up",
    "/moderate/letters/forget": "test_moderating.py, with deliveries that were given up",
    "/people/{number}/remove": "test_removals.py, after a decision",
    "/decisions/{name}/object": "test_afterwards.py, after a vote in which a circle was not heard",
    "/decisions/{name}/ratify": "test_afterwards.py, after an outcome",
    "/posts/images": "test_posts.py: it takes a file",
}

FILES: Final = ("/source.zip", "/media/{name}")

ENDS: Final = (
    "/logout",
    "/me/leave",
    "/me/password",
    "/me/logins/end",
    "/people/invite/{number}/end",
)  # the log-in, or the link, with which the others are sent


@dataclass(frozen=True)
class Found:
    """A form, the page that has it, and the row of the table of addresses that takes it."""

    kind: str
    action: str
    form: Element

    @property
    def written(self) -> dict[str, Element]:
        """The fields into which people write."""
        return {f.attributes["name"]: f for f in self.form.all("input", "textarea") if is_written(f)}

    @property
    def typed(self) -> dict[str, str]:
        """Words of its own for each of them."""
        return {name: TYPED.format(number) for number, name in enumerate(self.written)}

    @property
    def chosen(self) -> set[str]:
        """The fields in which people choose."""
        fields = self.form.all("select", "input")
        return {
            f.get("name") or "" for f in fields if f.tag == "select" or f.get("type") in ("radio", "checkbox")
        }

    @property
    def kept(self) -> list[str]:
        """Words that must not be lost."""
        return [words for name, words in self.typed.items() if name not in SECRET]

    def pairs(self, typed: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
        pairs = filled(self.form)
        for button in self.form.all("button"):
            if button.get("name"):
                pairs.append((button.attributes["name"], button.get("value") or ""))
                break
        return with_answers(pairs, self.typed if typed is None else typed)


def is_written(field: Element) -> bool:
    kinds = ("text", "password", "email", "url", "search", "number", "datetime-local", "date", "")
    return (
        bool(field.get("name"))
        and "readonly" not in field.attributes
        and (field.tag == "textarea" or (field.get("type") or "") in kinds)
    )


async def kind_of(app: web.Application, path: str, method: str = "GET") -> str:
    """The row of the table that this address is of; acts apart."""
    match = await app.router.resolve(make_mocked_request(method, urlsplit(path).path))
    return match.route.resource.canonical if match.route.resource else ""


def taken_by(app: web.Application) -> set[str]:
    """The rows of the table of addresses that take forms from pages."""
    return {
        route.resource.canonical
        for route in app.router.routes()
        if route.method == "POST" and route.resource and route.handler.__module__.startswith("server.web")
    }


async def walk(app: web.Application, browser: Browser, starts: list[str]) -> AsyncIterator[Page]:
    waiting, known, many = deque(starts), set(starts), dict[str, int]()
    while waiting:
        path = waiting.popleft()
        kind = await kind_of(app, path)
        if not kind or kind in FILES or many.get(kind, 0) >= (OF_DECISIONS if "{name}" in kind else 1):
            continue
        many[kind] = many.get(kind, 0) + 1
        page = await browser.get(path)
        yield page
        for element in page.all("a", "form"):
            href = element.get("href") or element.get("action") or ""
            there = urljoin(path, href).partition("#")[0]
            if there.startswith("/") and there not in known and "/static/" not in there:
                known.add(there)
                waiting.append(there)


async def forms(app: web.Application, browser: Browser, starts: list[str]) -> list[Found]:
    """One form for each row of the table that the walk meets."""
    found: dict[str, Found] = {}
    async for page in walk(app, browser, starts):
        for form in page.all("form"):
            if form.get("method") == "post":
                action = form.get("action") or page.path
                kind = await kind_of(app, action, "POST")
                act = kind.replace("{act}", urlsplit(action).path.rpartition("/")[2])
                found.setdefault(act, Found(kind, action, form))
    return list(found.values())


@asynccontextmanager
async def world(meetings: Meetings) -> AsyncIterator[tuple[Federation, list[str]]]:
    """A decision that is voted on, one that waits for answers, and something of everything else."""
    async with meetings.voting(oak=3, elm=1) as fed:
        names = [fed.decision]
        await fed.settle()
        app, now = fed.app_of("oak"), fed.clock.now()
        object.__setattr__(
            app[SETTINGS], "smtp", Smtp("127.0.0.1", 1, Address(addr_spec="oak@oak.test"), start_tls=False)
        )
        off = await said_and_kept(fed, names[0], names[0])
        async with app[DATABASE].ACT.begin() as session:
            asked = {"words": "I bake.", "password_hash": "-", "place": "-", "at": now}
            session.add(JoinRequest(login="yma", name="Yma", **asked))
            session.add(SecretAddress(member_id=1, token_hash="0" * 64, made_at=now))
        names.append(await convened(fed))
        names.append(await amended(fed))
        await PASSES["notices"](app)
        starts = [f"/decisions/{name}" for name in names]
        plain = [kind for kind in sorted(taken_by(app)) if "{" not in kind]
        links = [f"/join/{TOKEN}", f"/recover/{TOKEN}", f"/me/mail/confirm/{TOKEN}", off]
        servers = [
            "/moderate/servers/far.example/block",
            "/moderate/servers/far.example",
            "/moderate/reports/new",
        ]
        acts = [f"{start}/{act}" for start in starts for act in ("circle", "leave", "propose", "withdraw")]
        yield fed, ["/", *starts, *acts, *plain, *links, *servers]


async def convened(fed: Federation) -> str:
    await fed.oak.convene("elm", proposals=())  # there is room for one
    await fed.settle()
    return fed.decision


async def amended(fed: Federation) -> str:
    """Elm would change a proposal of Oak's, which has not answered."""
    await fed.oak.convene("elm", question="Where do we keep the bike?")
    await fed.settle()
    await fed.elm.answer()
    await fed.advance(MINUTE)
    await fed.elm.amend(next(iter((await fed.elm.options()).values())), "Another bike")
    await fed.settle()
    return fed.decision


def lost(page: Page, words: Sequence[str]) -> list[str]:
    """What of these words is nowhere on the page, not even in a hidden field."""
    return [one for one in words if one not in page.body and urlencode({"": one})[1:] not in page.body]


def too_long(one: Found) -> Iterator[tuple[str, list[tuple[str, str]], str]]:
    """Each field for words with far too many of them."""
    words = ("too much " * 12_000).strip()
    for name, field in one.written.items():
        is_for_words = field.tag == "textarea" or (field.get("type") or "text") in ("text", "email", "url")
        if is_for_words and name not in SECRET:
            yield name, one.pairs({**one.typed, name: words}), words


def wrong(what: str, one: Found, page: Page, words: Sequence[str]) -> list[str]:
    """What is wrong with an answer, if anything: it is none of those we give, or some of these words are lost."""
    gone = lost(page, words)
    if page.status in ANSWERS and not gone:
        return []
    return [f"{one.action}: {what}: {page.status} at {page.path}, lost {[words[:40] for words in gone]}"]


async def test_no_form_loses_what_was_typed(meetings: Meetings, enter: Enter) -> None:
    async with world(meetings) as (fed, starts):
        app, ana, visitor = fed.app_of("oak"), await enter(fed, "oak", "ana"), await enter(fed, "oak")
        await enter(fed, "oak", "ana")  # on another device
        mine, theirs = await forms(app, ana, starts), await forms(app, visitor, starts)
        there = await forms(
            fed.app_of("elm"), await enter(fed, "elm", "ana"), [f"/decisions/{fed.decision}/answer"]
        )
        met = {one.kind for one in (*mine, *theirs, *there)}
        found = []
        for one in (*mine, *theirs):
            browser = ana if one in mine else visitor
            found += [f"{one.action}: {name} is taken for a secret" for name in one.chosen & NOT_KEPT]
            found += await too_much(browser, one)
            found += await from_an_old_page(browser, one)
            found += await with_nothing_in_it(browser, one)
            found += await twice_at_once(browser, one)
        async with app[DATABASE].ACT.begin() as session:
            await session.execute(delete(Login))
        for one in mine:
            if one.kind not in {their.kind for their in theirs} | {"/logout"}:
                page = await ana.post(one.action, one.pairs())
                found += wrong("after the log-in ended", one, page, one.kept)
                if not page.has_form("/login"):
                    found.append(f"{one.action}: no log-in is offered: {page.status} at {page.path}")
    assert not found, "\n".join(found)
    assert taken_by(app) - met == set(ELSEWHERE)


async def too_much(browser: Browser, one: Found) -> list[str]:
    found = []
    for name, pairs, words in too_long(one):
        page = await browser.post(one.action, pairs)
        found += wrong(f"too much in {name}", one, page, [words])
        if page.said:
            found.append(f"{one.action}: too much in {name} is taken: {page.said}")
    return found


async def from_an_old_page(browser: Browser, one: Found) -> list[str]:
    pairs = [(name, "0" * 64 if name == "mark" else value) for name, value in one.pairs()]
    return wrong("from an old page", one, await browser.post(one.action, pairs), one.kept)


async def with_nothing_in_it(browser: Browser, one: Found) -> list[str]:
    if not one.typed:
        return []
    page = await browser.post(one.action, one.pairs(dict.fromkeys(one.typed, "")))
    if page.status == 422:
        check(page)
        if not page.problems and not page.alert:
            return [f"{one.action}: nothing in it: the page does not say what to do"]
    return wrong("nothing in it", one, page, [])


async def twice_at_once(browser: Browser, one: Found) -> list[str]:
    """What is taken is not lost, and what is not taken is shown."""
    if one.kind in ENDS:
        return []
    found = []
    for page in await asyncio.gather(*[browser.post(one.action, one.pairs()) for _ in range(2)]):
        found += wrong("twice at once", one, page, one.kept if page.status != 200 else [])
    return found
