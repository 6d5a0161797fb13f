"""Federation feeds: what there is to follow, for everybody; making, filling and ending one, for who may post as the collective."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub.errors import WireError
from models import feeds as rows
from models import follows, people
from models.feeds import Feed, Following
from models.people import Actor
from models.rules.passing import MOST_ASKED_AGAIN
from models.rules.refusals import Invalid, NotFound, Refusal
from server.actions import feeds, passing
from server.actions.founding import make_key_pair
from server.elsewhere import sentence_of
from server.keys import HOME
from server.language import _
from server.remote import find
from server.web.confirming import Confirm, really
from server.web.forms import Form, Problems, problems_of
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading
from server.web.words import DONE, FOLLOWINGS, Choice, Label, Named


@dataclass(frozen=True)
class Source:
    """A collective of a feed, and how it stands with it."""

    name: str
    address: str
    uri: str
    url: str
    here: bool
    state: Label
    asked: datetime | None


@dataclass(frozen=True)
class FeedPart:
    """A feed in the list."""

    name: str
    path: str
    address: str
    sources: Sequence[str]
    followers: int


@dataclass(frozen=True)
class FeedsPage:
    feeds: Sequence[FeedPart]
    may_change: bool
    budget: str
    now_budget: int
    done: str
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class NewFeedPage:
    host: str
    mandate: int
    handle: str = ""
    name: str = ""
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class FeedPage:
    name: str
    path: str
    address: str
    uri: str
    followers: int
    sources: Sequence[Source]
    budget: int
    known: Sequence[Choice]
    mandate: int
    done: str
    source: str = ""
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class EndFeedPage:
    name: str
    path: str
    address: str
    followers: int
    mandate: int


def status_of(problems: Problems) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK


# The list


async def feeds_page(request: web.Request) -> web.StreamResponse:
    return await _list(request, None, Problems())


async def _list(request: web.Request, typed: str | None, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        budget = await passing.budget(visit.session)
        context = FeedsPage(
            feeds=[await _part(visit.session, feed) for feed in await rows.feeds(visit.session)],
            may_change=visit.viewer.may(feeds.POWER),
            budget=str(budget) if typed is None else typed,
            now_budget=budget,
            done=DONE.get(request.query.get("done", ""), ""),
            problems=problems,
        )
        return page(request, frame_of(visit), "feeds/list.html", context, status_of(problems))


async def _part(session: AsyncSession, feed: Feed) -> FeedPart:
    return FeedPart(
        name=feed.actor.name,
        path=f"/feeds/{feed.actor.handle}",
        address=feed.actor.address,
        sources=[source.name for source in await _sources(session, feed)],
        followers=await follows.follower_count(session, feed.actor_id),
    )


async def set_budget(request: web.Request, form: Form) -> web.StreamResponse:
    try:
        async with acting(request) as visit:
            await feeds.set_budget(visit.session, visit.viewer, form.number("budget"), visit.now)
    except Invalid as refusal:
        return await _list(request, form.one("budget"), problems_of(refusal))
    return see("/feeds?done=budget")


# Making one


async def new_page(request: web.Request) -> web.StreamResponse:
    return await _new(request, Form(), Problems())


async def _new(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        if not visit.viewer.is_member:
            return see("/login?next=/feeds/new")
        context = NewFeedPage(
            host=request.app[HOME].authority,
            mandate=visit.viewer.require(feeds.POWER).id,
            handle=form.one("handle"),
            name=form.one("name"),
            problems=problems,
        )
        return page(request, frame_of(visit), "feeds/new.html", context, status_of(problems))


async def make(request: web.Request, form: Form) -> web.StreamResponse:
    """Make a feed. A second click finds the one that the first has made."""
    handle = form.one("handle").removeprefix("@").lower()
    async with reading(request) as visit:
        visit.viewer.require(feeds.POWER)
    keys = await asyncio.to_thread(make_key_pair)  # before the transaction: RSA takes its time
    try:
        async with acting(request) as visit:
            await visit.session.get(
                Actor, visit.collective.id, with_for_update={"of": Actor}, populate_existing=True
            )
            there = await rows.feed_named(visit.session, handle)
            if there is None or there.actor.name != form.one("name"):
                home, name = request.app[HOME], form.one("name")
                await feeds.make(visit.session, home, visit.viewer, handle, name, keys, visit.now)
    except Refusal as refusal:
        return await _new(request, form, problems_of(refusal))
    return see(f"/feeds/{handle}?done=feed-made")


# One feed


async def feed_page(request: web.Request) -> web.StreamResponse:
    return await _one(request, Form(), Problems())


async def _one(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        feed = await feeds.named(visit.session, request.match_info["handle"])
        mandate = visit.viewer.mandate_for(feeds.POWER) if visit.viewer.is_member else None
        sources = await _sources(visit.session, feed)
        context = FeedPage(
            name=feed.actor.name,
            path=f"/feeds/{feed.actor.handle}",
            address=feed.actor.address,
            uri=feed.actor.uri,
            followers=await follows.follower_count(visit.session, feed.actor_id),
            sources=sources,
            budget=await passing.budget(visit.session),
            known=await _known(visit, sources) if mandate else [],
            mandate=mandate.id if mandate else 0,
            done=DONE.get(request.query.get("done", ""), ""),
            source=form.one("source"),
            problems=problems,
        )
        return page(request, frame_of(visit), "feeds/show.html", context, status_of(problems))


async def _sources(session: AsyncSession, feed: Feed) -> list[Source]:
    listed = await rows.sources(session, feed.id)
    known = await people.actors_by_uri(session, [one.actor_uri for one in listed])
    asked = {row.followed: row for row in await rows.followings(session, feed.actor_id)}
    return [_source(known[one.actor_uri], asked.get(one.actor_uri)) for one in listed]


def _source(actor: Actor, asked: Following | None) -> Source:
    if actor.gone_at is not None:
        state = "gone"
    elif asked is None:
        state = "ours" if actor.is_local else "parted"
    else:
        state = "silent" if asked.state == "asked" and asked.times > MOST_ASKED_AGAIN else asked.state
    return Source(
        name=actor.name or actor.handle,
        address=actor.address,
        uri=actor.uri,
        url=actor.url or actor.uri,
        here=actor.is_local,
        state=FOLLOWINGS[state],
        asked=asked.at if asked is not None and state in ("asked", "silent") else None,
    )


async def _known(visit: Visit, sources: Sequence[Source]) -> list[Choice]:
    """Collectives of decisions that we hold, which this feed does not pass on yet."""
    uris = await rows.linked(visit.session)
    known = await people.actors_by_uri(visit.session, uris)
    listed = {source.uri for source in sources}
    offered = [a for a in known.values() if a.uri not in listed and a.gone_at is None]
    offered = [a for a in offered if a.is_kin or a.kind == "collective"]
    return [Named(a.uri, a.name or a.handle, a.address) for a in sorted(offered, key=lambda a: a.address)]


async def add(request: web.Request, form: Form) -> web.StreamResponse:
    """Add a collective, typed or chosen; it is looked up before the transaction. A second click changes nothing."""
    handle, typed = request.match_info["handle"], form.one("source")
    async with reading(request) as visit:
        visit.viewer.require(feeds.POWER)
        await feeds.named(visit.session, handle)
    if not typed:
        return await _one(request, form, Problems(fields={"source": _("Say which collective.")}))
    try:
        source = await find(request.app, typed)
        async with acting(request) as visit:
            home = request.app[HOME]
            await feeds.add(visit.session, home, visit.viewer, handle, source, visit.now)
    except WireError as error:
        return await _one(
            request,
            form,
            Problems(
                fields={
                    "source": _("“{typed}” was not found: {problem}", typed=typed, problem=sentence_of(error))
                }
            ),
        )
    except Refusal as refusal:
        return await _one(request, form, problems_of(refusal))
    return see(f"/feeds/{handle}?done=source-added")


async def remove_page(request: web.Request) -> web.StreamResponse:
    handle, uri = request.match_info["handle"], request.query.get("source", "")
    async with reading(request) as visit:
        if not visit.viewer.is_member:
            return see(f"/login?next=/feeds/{handle}")
        mandate = visit.viewer.require(feeds.POWER)
        feed = await feeds.named(visit.session, handle)
        source = next((one for one in await _sources(visit.session, feed) if one.uri == uri), None)
        if source is None:
            return see(f"/feeds/{handle}")
        context = Confirm(
            heading=_("Leave this collective out?"),
            about=f"{source.name} ({source.address})",
            says=[
                _("The feed passes on nothing more of it. What it passed on stays."),
                _("What it publishes until it is in the feed again is not made up for."),
                _("To have it back, it is asked anew, and can say no."),
            ],
            button=_("Leave it out"),
            action=f"/feeds/{handle}/remove",
            back=f"/feeds/{handle}",
            above=feed.actor.name,
            fields=[("source", uri)],
            mandate=mandate.id,
        )
        return really(visit, context)


async def remove(request: web.Request, form: Form) -> web.StreamResponse:
    """Leave a collective out. A second time changes nothing."""
    handle = request.match_info["handle"]
    try:
        async with acting(request) as visit:
            home, source = request.app[HOME], form.one("source")
            await feeds.remove(visit.session, home, visit.viewer, handle, source, visit.now)
    except NotFound as error:
        if error.code != "source":
            raise
        return see(f"/feeds/{handle}")
    return see(f"/feeds/{handle}?done=source-removed")


async def to_feed(request: web.Request) -> web.StreamResponse:
    """Where a form of its page goes, there is nothing to look at."""
    return see(f"/feeds/{request.match_info['handle']}")


async def to_feeds(_request: web.Request) -> web.StreamResponse:
    return see("/feeds")


async def end_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        if not visit.viewer.is_member:
            return see(f"/login?next={request.path}")
        feed = await feeds.named(visit.session, request.match_info["handle"])
        context = EndFeedPage(
            name=feed.actor.name,
            path=f"/feeds/{feed.actor.handle}",
            address=feed.actor.address,
            followers=await follows.follower_count(visit.session, feed.actor_id),
            mandate=visit.viewer.require(feeds.POWER).id,
        )
        return page(request, frame_of(visit), "feeds/end.html", context)


async def end(request: web.Request, _form: Form) -> web.StreamResponse:
    """End the feed. A second click finds it ended."""
    try:
        async with acting(request) as visit:
            home, handle = request.app[HOME], request.match_info["handle"]
            await feeds.end(visit.session, home, visit.viewer, handle, visit.now)
    except NotFound:
        return see("/feeds")
    return see("/feeds?done=feed-ended")
