"""The people of the collective, for each other: all of them, page by page, or those whose name has certain words in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from models import people
from models.mandates import mandates_by_member
from models.rules import mandates
from server.actions import requests
from server.viewer import as_rule
from server.web.mine import done_in
from server.web.render import frame_of, page
from server.web.searching import list_path, search_in
from server.web.sessions import Visit, reading
from server.web.words import POWERS

HERE: Final = "/people"
AT_ONCE: Final = 50


@dataclass(frozen=True)
class Person:
    number: int
    name: str
    about: str
    since: datetime
    powers: Sequence[str]
    profile: str
    is_me: bool


@dataclass(frozen=True)
class PeoplePage:
    """`total`: how many members there are; `q` is what was searched for, `older` where the next page is, `is_first` whether this is
    the first."""

    people: Sequence[Person]
    total: int
    q: str
    older: str
    is_first: bool
    can_search: bool  # there is more than fits on one page
    may_admit: bool
    may_ask: bool  # whether somebody is removed
    waiting: int
    done: str


async def people_page(request: web.Request) -> web.StreamResponse:
    search = search_in(request)
    async with reading(request) as visit:
        me = visit.viewer.require_member()
        found = await people.members_page(visit.session, search.before, AT_ONCE + 1, search.words)
        shown, total = found[:AT_ONCE], await people.member_count(visit.session)
        powers, profiles = await _powers(visit, shown), await _profiles(visit, shown)
        may_admit = visit.viewer.may("admit")
        waiting = len(await requests.waiting(visit.session, visit.viewer, visit.now)) if may_admit else 0
        context = PeoplePage(
            people=[
                Person(
                    number=one.id,
                    name=one.name,
                    about=one.about,
                    since=one.joined_at,
                    powers=powers.get(one.id, []),
                    profile=profiles.get(one.actor_id or 0, ""),
                    is_me=one.id == me.id,
                )
                for one in shown
            ],
            total=total,
            q=search.q,
            older=list_path(HERE, q=search.q, before=shown[-1].id) if len(found) > AT_ONCE else "",
            is_first=search.before is None,
            can_search=total > AT_ONCE,
            may_admit=may_admit,
            may_ask=visit.viewer.may("convene"),
            waiting=waiting,
            done=done_in(request),
        )
        return page(request, frame_of(visit), "people/list.html", context)


async def _profiles(visit: Visit, members: Sequence[people.Member]) -> dict[int, str]:
    """The public profiles of those who have one, by the number of their actor."""
    found = await people.actors_by_id(visit.session, [one.actor_id for one in members if one.actor_id])
    return {number: f"/@{actor.handle}" for number, actor in found.items() if actor.gone_at is None}


async def _powers(visit: Visit, members: Sequence[people.Member]) -> dict[int, list[str]]:
    """What each of them may do under mandates in force now, in words."""
    held: dict[int, set[str]] = {}
    for row in await mandates_by_member(visit.session, [one.id for one in members]):
        if mandates.in_force(as_rule(row), visit.now):
            held.setdefault(row.member_id, set()).update(row.powers)
    return {
        number: [POWERS[power] for power in mandates.POWERS if power in powers]
        for number, powers in held.items()
    }
