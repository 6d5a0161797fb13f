"""What programs read again and again: Atom feeds of decisions and posts, a calendar of closings. The public ones have what
everybody may see; a member's own, at a secret address, have what members may see.

Nothing of a circle's inside is in any of them. Each carries an ETag; who has it already gets 304.
"""

import hashlib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from aiohttp import web
from sqlalchemy import select

from models import decisions, ledger, notices, people
from models.decisions import Decision
from models.ledger import Scope
from models.notices import SecretAddress
from models.posts import Post, spoken
from models.rules.refusals import NotFound
from server.actions.people import new_token, token_digest
from server.actions.visible import ALL, PUBLIC
from server.keys import HOME
from server.language import _, joined
from server.web import atom, calendars
from server.web.confirming import Confirm, really
from server.web.forms import Form
from server.web.home import Row, rows_of
from server.web.mine import done_in
from server.web.moments import date_words
from server.web.names import Names
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading

AT_ONCE: Final = 30
MOST_CLOSINGS: Final = 200
PAST: Final = timedelta(days=60)
WITHOUT: Final = ("void", "withdrawn", "lapsed")
TITLE: Final = 80


@dataclass(frozen=True)
class FeedsPage:
    """`feed` and `calendar` are the addresses, on the one page that shows them."""

    made: datetime | None
    done: str
    feed: str = ""
    calendar: str = ""


# Public


async def decisions_feed(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        return await _decisions(visit, PUBLIC, "/decisions.atom", _("Decisions"))


async def posts_feed(request: web.Request) -> web.StreamResponse:
    """What was said as the collective."""
    async with reading(request) as visit:
        rows = await spoken(visit.session, None, AT_ONCE)
        home = request.app[HOME]
        feed = atom.Feed(
            uri=f"{home.url}/posts.atom",
            link=f"{home.url}/posts",
            title=_("Posts of {name}", name=visit.collective.name),
            author=visit.collective.name,
            began=visit.collective.created_at,
            entries=[_post(row) for row in rows],
        )
        return _answer(request, atom.document(feed), "application/atom+xml")


async def closings(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        return await _calendar(visit, PUBLIC)


# At a secret address


async def own_decisions(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        await _known(visit)
        return await _decisions(visit, ALL, request.path, _("Decisions, for members"))


async def own_closings(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        await _known(visit)
        return await _calendar(visit, ALL)


async def _known(visit: Visit) -> None:
    """The address is a member's of now; everybody else learns nothing."""
    row = await notices.whose_address(visit.session, token_digest(visit.request.match_info["token"]))
    member = await visit.session.get(people.Member, row.member_id) if row else None
    if member is None or member.left_at is not None:
        raise NotFound("not-found", _("Either nothing is at this address, or it is not open to everybody."))


async def feeds_page(request: web.Request) -> web.StreamResponse:
    """Where a member makes, renews and ends their secret address."""
    async with reading(request) as visit:
        row = await visit.session.get(SecretAddress, visit.viewer.require_member().id)
        context = FeedsPage(row.made_at if row else None, done_in(request))
        return page(request, frame_of(visit), "people/feeds.html", context)


async def make_address(request: web.Request, _form: Form) -> web.StreamResponse:
    """A new secret address, shown once. The one before works no more."""
    token = new_token()
    async with acting(request) as visit:
        row = SecretAddress(
            member_id=visit.viewer.require_member().id, token_hash=token_digest(token), made_at=visit.now
        )
        await visit.session.merge(row)
    url = f"{request.app[HOME].url}/private/{token}"
    async with reading(request) as visit:
        context = FeedsPage(visit.now, "", f"{url}/decisions.atom", f"{url}/closings.ics")
        return page(request, frame_of(visit), "people/feeds.html", context)


async def renew_page(request: web.Request) -> web.StreamResponse:
    """Whether they want others instead of those that they have; who has none makes them on the page before."""
    async with reading(request) as visit:
        if await visit.session.get(SecretAddress, visit.viewer.require_member().id) is None:
            return see("/me/feeds")
        context = Confirm(
            heading=_("Make new addresses?"),
            says=[
                _("Those from before then work no more, and cannot be brought back."),
                _("You have to enter the new ones in each app."),
            ],
            button=_("Make new addresses"),
            action="/me/feeds/make",
            back="/me/feeds",
            above=_("Your own feed and calendar"),
        )
        return really(visit, context)


async def end_page(request: web.Request) -> web.StreamResponse:
    """Whether they really want to: every app that reads the addresses stops."""
    async with reading(request) as visit:
        row = await visit.session.get(SecretAddress, visit.viewer.require_member().id)
        if row is None:
            return see("/me/feeds")
        return page(request, frame_of(visit), "people/feeds_end.html", FeedsPage(row.made_at, ""))


async def end_address(request: web.Request, _form: Form) -> web.StreamResponse:
    """Nothing is at the secret address any more."""
    async with acting(request) as visit:
        await notices.end_address(visit.session, visit.viewer.require_member().id)
    return see("/me/feeds?done=address-ended")


# What is in them


async def _decisions(visit: Visit, seen: Sequence[str], path: str, title: str) -> web.Response:
    home = visit.request.app[HOME]
    found = await decisions.decisions_page(visit.session, None, seen, None, AT_ONCE)
    rows = await rows_of(visit, found)
    feed = atom.Feed(
        uri=home.url + path,
        link=f"{home.url}/decisions",
        title=f"{title} ({visit.collective.name})",
        author=visit.collective.name,
        began=visit.collective.created_at,
        entries=[
            _decision(home.url, row, decision, scope)
            for row, (decision, scope) in zip(rows, found, strict=True)
        ],
    )
    return _answer(visit.request, atom.document(feed), "application/atom+xml")


def _decision(url: str, row: Row, decision: Decision, scope: Scope) -> atom.Entry:
    sentences = [_("{state}.", state=row.state.words)]
    if row.outcome is not None and row.winner is not None:
        sentences.append(_("{outcome}: {option}.", outcome=row.outcome.words, option=row.winner.plain))
    elif row.outcome is not None:
        sentences.append(_("{outcome}.", outcome=row.outcome.words))
    if row.at is not None:
        sentences.append(_("{what}: {when}.", what=row.when.capitalize(), when=date_words(row.at)))
    return atom.Entry(
        uri=url + row.path,
        link=url + row.path,
        title=row.question.plain,
        content=joined(sentences),
        published=scope.created_at,
        updated=max(decision.as_of, scope.created_at),
    )


def _post(row: Post) -> atom.Entry:
    document: dict[str, Any] = orjson.loads(row.body)
    words = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", document["content"])).split())
    return atom.Entry(
        uri=row.uri,
        link=document["url"],
        title=words if len(words) <= TITLE else f"{words[:TITLE].rsplit(' ', 1)[0]} …",
        content=document["content"],
        published=row.published_at,
        updated=row.updated_at or row.published_at,
        is_html=True,
    )


async def _calendar(visit: Visit, seen: Sequence[str]) -> web.Response:
    query = select(Decision, Scope).join(Scope, Scope.id == Decision.scope_id)
    query = query.where(Scope.visibility.in_(seen), Decision.closes_at > visit.now - PAST)
    found = (await visit.session.execute(query.order_by(Decision.closes_at).limit(MOST_CLOSINGS))).all()
    texts = await ledger.texts_named(visit.session, [row.question for row, _ in found])
    home = visit.request.app[HOME]
    happenings = [
        calendars.Happening(
            uid=f"{scope.name}@{home.authority}",
            at=row.closes_at,
            changed=row.as_of,
            summary=_(
                "Voting closes: {question}",
                question=Names(texts.get(scope.name, {}), {}, {}, {}).title(row.question).plain,
            ),
            description=f"{home.url}/decisions/{scope.name}",
            url=f"{home.url}/decisions/{scope.name}",
            is_cancelled=row.state in WITHOUT,
        )
        for row, scope in found
    ]
    body = calendars.document(_("Closings of {name}", name=visit.collective.name), happenings)
    return _answer(visit.request, body, "text/calendar")


def _answer(request: web.Request, body: bytes, content_type: str) -> web.Response:
    """The document, or 304 for who has it already. No cache may keep what is at a secret address for others."""
    tag = hashlib.sha256(body).hexdigest()[:32]
    known = {one.value for one in request.if_none_match or ()}
    is_known = bool(known & {tag, "*"})
    response = web.Response(status=304) if is_known else web.Response(body=body)
    if not is_known:
        response.headers["Content-Type"] = f"{content_type}; charset=utf-8"
    response.headers["ETag"] = f'"{tag}"'
    is_public = not request.path.startswith("/private/")
    response.headers["Cache-Control"] = "no-cache" if is_public else "private, no-cache"
    return response
