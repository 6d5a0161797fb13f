"""What this is, how we count, what it protects and what not. The promises are those of docs/threat-model.md; a test compares."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from models.people import member_count
from server.web.render import frame_of, page
from server.web.sessions import reading
from server.web.words import METHODS, Choice


@dataclass(frozen=True)
class AboutPage:
    summary: str
    members: int
    profile: str
    methods: Sequence[Choice]


async def about(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        context = AboutPage(
            summary=visit.collective.summary,
            members=await member_count(visit.session),
            profile=f"/@{visit.collective.handle}",
            methods=list(METHODS.values()),
        )
        return page(request, frame_of(visit), "about/show.html", context)
