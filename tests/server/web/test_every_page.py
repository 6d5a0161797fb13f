"""What holds on every page: a title, a language, one heading, labels, no script and no style but our own, strict headers."""

import itertools
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Browser, Page
from tests.server.web.conftest import Enter

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
TIME = re.compile(r"\d{1,2} [A-Z][a-z]+ 20\d\d, \d\d:\d\d")
APART = re.compile(  # instants as they ought to be; what has another layout; what people wrote; names of links for who hears them
    r"<(?P<tag>time|title|textarea|option|select)\b.*?</(?P=tag)>|<div class=\"said.*?</div>|<span class=\"hidden\">.*?</span>",
    re.DOTALL,
)
SCRIPTS = (
    r"; script-src http://[a-z]+\.test/static/passkeys\.[0-9a-f]{12}\.js",  # where passkeys can be used
    r"; connect-src 'self'; script-src http://[a-z]+\.test/static/live\.[0-9a-f]{12}\.js",  # pages that keep up
)


def check(page: Page, language: str = "en") -> None:
    """Everything that a page owes its readers."""
    where = page.url
    check_headers(page)
    (root,) = page.all("html")
    assert root.get("lang") == language, where
    assert page.title.count("·") >= 1, where
    assert len(page.all("h1")) == 1, where
    assert page.heading, where
    assert len(page.all("main")) == 1, where
    assert page.all("a")[0].get("href") == "#main", f"{where}: the first link skips to the content"
    check_scripts(page)
    assert "style" not in {element.tag for element in page.all()}, where
    for element in page.all():
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"], where
    ids = [element.attributes["id"] for element in page.all() if "id" in element.attributes]
    assert len(ids) == len(set(ids)), f"{where}: {sorted(i for i in ids if ids.count(i) > 1)}"
    for element in page.all():
        for name in ("for", "aria-describedby", "aria-labelledby"):
            assert set((element.get(name) or "").split()) <= set(ids), f"{where}: {element.get(name)}"
    check_headings(page)
    check_fields(page)
    check_sources(page)
    check_sentences(page)
    check_times(page)


def check_headers(page: Page) -> None:
    policy = page.headers["Content-Security-Policy"]
    assert policy == POLICY or any(re.fullmatch(re.escape(POLICY) + script, policy) for script in SCRIPTS)
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"


def check_scripts(page: Page) -> None:
    """None; or the one file that the policy names, and the page works without it."""
    policy = page.headers["Content-Security-Policy"]
    scripts = page.all("script")
    if policy == POLICY:
        assert scripts == [], page.url
        return
    (script,) = scripts
    assert policy.endswith(script.attributes["src"])
    assert script.text == ""
    assert all("hidden" in e.attributes for e in page.all("div") if "data-passkey" in e.attributes)


def check_headings(page: Page) -> None:
    """No level is skipped on the way down."""
    levels = [int(element.tag[1]) for element in page.all("h1", "h2", "h3", "h4")]
    for before, after in itertools.pairwise(levels):
        assert after <= before + 1, f"{page.url}: h{before} is followed by h{after}"


def check_sentences(page: Page) -> None:
    """Between two sentences there is a space."""
    for main in page.all("main"):
        assert re.findall(r"[^\W\d_]{2}[.!?][A-ZÁÉÍÓÚÑ¿¡][^\W_]*", main.text) == [], page.url


def check_fields(page: Page) -> None:
    """Every field has a label that says something; every group of choices has a legend; every button has words."""
    labels = {label.get("for"): label.text for label in page.all("label")}
    for one in page.all("input", "textarea", "select"):
        if one.get("type") != "hidden":
            assert labels.get(one.get("id")), f"{page.url}: {one.attributes}"
    for group in page.all("fieldset"):
        assert group.all("legend")[0].text, page.url
    for button in page.all("button"):
        assert button.text, page.url
    for link in page.all("a"):
        assert link.text, f"{page.url}: {link.attributes}"
    for form in (form for form in page.all("form") if form.get("role") != "search"):
        assert form.get("method") == "post", page.url
        marks = [i for i in form.all("input") if i.get("name") == "mark"]
        assert len(marks) == 1, page.url
        assert re.fullmatch("[0-9a-f]{64}", marks[0].attributes["value"]), page.url


def check_sources(page: Page) -> None:
    """Nothing is loaded from elsewhere."""
    for element in page.all("link", "img", "iframe", "object", "embed", "source", "video", "audio"):
        address = element.get("href") or element.get("src") or ""
        if element.get("rel") != "alternate":
            own = ("/static/", "/media/", "/c/") if element.tag == "img" else ("/static/",)
            assert address.startswith(own), f"{page.url} loads {address}"
        if element.tag == "img":
            assert element.get("alt"), f"{page.url}: {address} is not described"


def check_times(page: Page) -> None:
    """Each time of day stands with the instant for machines, and in UTC for whoever points at it."""
    assert TIME.findall(APART.sub("", page.body)) == [], page.url


async def look(browser: Browser, *paths: str) -> None:
    for path in paths:
        check(await browser.get(path))


async def test_pages_of_visitors_and_strangers(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        visitor = await enter(fed, "oak")
        await look(
            visitor, "/", "/about", "/login", "/@oak", "/@assembly", "/join/unknown", "/nothing", "/?before=1"
        )
        check(await visitor.send(await visitor.get("/login"), "/login", login="ana", password="wrong one"))


async def test_pages_of_members_with_and_without_mandates(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=2) as fed:
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        await look(ana, "/", "/about", "/decisions/new", "/people/invite", "/@oak", "/@assembly", "/nothing")
        await look(bo, "/", "/@oak", "/decisions/new", "/people/invite")
        check(await ana.send(await ana.get("/people/invite"), "/people/invite", uses="2"))
        wrong = await ana.send(
            await ana.get("/decisions/new"), "/decisions/new", about__2="x", window="custom"
        )
        assert wrong.problems
        check(wrong)


async def test_the_page_of_the_founder_and_its_mistakes(fresh: Federation, enter: Enter) -> None:
    browser = await enter(fresh, "oak")
    path = f"/join/{fresh.founder_token('oak')}"
    form = await browser.get(path)
    check(form)
    check(await browser.send(form, path, login="!", name="", password=""))


def plan_of(method: str) -> dict[str, Any]:
    proposals = {"proposals": ("Monday", "Friday")} if method == "approval" else {}
    return {"method": method, "challenge": timedelta(hours=4), **proposals}


@pytest.mark.parametrize("method", ["consent", "approval"])
async def test_pages_of_a_decision_before_the_voting(meetings: Meetings, enter: Enter, method: str) -> None:
    async with meetings.founded(oak=3, elm=7) as fed:
        await fed.oak.convene("elm", **(plan_of(method) | {"proposals": ()}))
        await fed.settle()
        path = f"/decisions/{fed.decision}"
        ana, eli = await enter(fed, "oak", "ana"), await enter(fed, "elm", "ana")
        await look(ana, path, f"{path}/circle", f"{path}/propose", f"{path}/withdraw")
        await look(eli, "/", path, f"{path}/answer")
        check(await eli.send(await eli.get(f"{path}/answer"), "/answer", takes="ratifies"))
        check(await ana.send(await ana.get(f"{path}/propose"), "/propose", title=""))
        await fed.elm.answer()
        await fed.oak.propose("Tuesday")
        await fed.advance(timedelta(minutes=1))
        option = (await fed.oak.options())["Tuesday"]
        await fed.elm.amend(option, "Wednesday")
        await fed.elm.support(option, "concern", "On Tuesdays the hall is taken by the choir.")
        await fed.advance(timedelta(minutes=1))
        one, other = (f"{path}/proposals/{digest}" for digest in (await fed.oak.options()).values())
        await look(ana, path, one, other, f"{one}/support", f"{one}/change", f"{other}/answer")
        await look(eli, path, one, f"{one}/change", f"{other}/support")
        for act in ("support", "change"):
            check(await ana.send(await ana.get(f"{one}/{act}"), f"/{act}", title=""))
        check(await ana.send(await ana.get(f"{other}/answer"), "/answer"))
        await fed.oak.withdraw("Changed our mind")
        await look(ana, path, "/")


@pytest.mark.parametrize("method", ["consent", "majority", "approval"])
async def test_pages_of_a_decision_until_its_end(meetings: Meetings, enter: Enter, method: str) -> None:
    async with meetings.voting(oak=3, elm=7, plan=plan_of(method)) as fed:
        path = f"/decisions/{fed.decision}"
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        room = await ana.get(f"{path}/circle")
        check(room)
        check(await ana.send(room, "/draft", position="object", reason="short", choices=["x"]))
        said = {"consent": "concern", "majority": "yes", "approval": ("Friday",)}[method]
        circle = await fed.oak.circle()
        number = await circle.draft(said)
        await look(bo, f"{path}/circle")
        await circle.confirm(number, 0)
        await look(ana, "/", path, f"{path}/circle")
        await circle.confirm(number, 1)
        await look(ana, f"{path}/circle", path)
        await fed.elm.ballot(said)
        await fed.settle()
        for moment in ("closes", "grace_ends", "challenge_ends"):
            await look(await enter(fed, "elm"), path, "/")
            await fed.reach(moment)
        await look(await enter(fed, "oak"), path, "/", "/@oak")
        await look(ana, f"{path}/circle")


async def test_the_stylesheet_is_small_has_the_only_style_and_is_kept_for_a_year(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.founded(oak=1) as fed:
        visitor = await enter(fed, "oak")
        (sheet,) = [e for e in (await visitor.get("/")).all("link") if e.get("rel") == "stylesheet"]
        address = sheet.attributes["href"]
        page = await visitor.get(address)
        assert page.status == 200
        assert len(page.body) < 20_000
        assert page.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert page.headers["Content-Type"] == "text/css; charset=utf-8"
        assert "http" not in page.body
        assert "@import" not in page.body
        assert (await visitor.get(re.sub(r"\.[0-9a-f]{12}\.", ".000000000000.", address))).status == 404
        assert (await visitor.get("/static/../app.py")).status == 404


async def test_what_members_see_is_kept_by_no_cache(meetings: Meetings, enter: Enter) -> None:
    async with meetings.founded(oak=1) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        assert (await ana.get("/")).headers["Cache-Control"] == "no-store"
        assert (await visitor.get("/")).headers["Cache-Control"] == "no-cache"
        assert "Cookie" in (await visitor.get("/")).headers["Vary"]
