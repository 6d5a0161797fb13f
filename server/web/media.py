"""Pictures: how they come in (a form with a file, read here and nowhere else) and how they are served."""

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from activitypub.errors import Malformed, TooLarge
from models.choices import choice
from models.rules.phrases import phrase
from models.rules.refusals import Invalid, Refusal
from server import pictures
from server.actions import images
from server.keys import HOME
from server.language import _
from server.pictures import MOST_BYTES, NoPicture, Picture
from server.web.forms import (
    KEPT_AT_MOST,
    MOST_FIELDS,
    Form,
    Problems,
    form_of,
    from_our_site,
    known_form,
    posted,
    problems_of,
)
from server.web.render import frame_of, page, see
from server.web.sessions import acting, reading
from server.web.words import DONE

AT_ONCE: Final = 2
DECODING: web.AppKey[asyncio.Semaphore] = web.AppKey("decoding", asyncio.Semaphore)
APART: Final = "default-src 'none'; sandbox"
CHUNK: Final = 65_536
FOR_AN_HOUR: Final = "public, max-age=3600"  # as long may a picture outlive its post in the caches of others


async def posted_with_file(request: web.Request) -> Form:
    """The form of a POST that may bring a file. Of somebody who may not speak the file is not even read."""
    if request.content_type != "multipart/form-data":
        return await posted(request)
    ours = from_our_site(request)
    async with reading(request) as visit:
        may = visit.viewer.may("speak")
    try:
        pairs, file = await _parts(request, may)
    except (ValueError, HttpProcessingError) as error:
        raise Malformed("form", _("This form could not be read.")) from error
    return known_form(request, form_of(pairs, file), ours)


async def _parts(request: web.Request, may: bool) -> tuple[list[tuple[str, str]], bytes | None]:
    """The fields, and the one file, if it is not empty. Who may not upload is heard up to the file and no further."""
    pairs: list[tuple[str, str]] = []
    file, room = b"", KEPT_AT_MOST
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None or len(pairs) >= MOST_FIELDS:
            raise Malformed("form", _("This form is none of ours."))
        if part.filename is not None or part.name == "picture":
            if not may or file:
                break
            file = await _read(part, MOST_BYTES)
            continue
        value = await _read(part, room)
        room -= len(value)
        pairs.append((part.name, value.decode("utf-8", "replace")))
    return pairs, file or None


async def _read(part: BodyPartReader, most: int) -> bytes:
    body = bytearray()
    while chunk := await part.read_chunk(CHUNK):
        body += chunk
        if len(body) > most:
            raise TooLarge("too-large", phrase("A file may have {n} MB at most.", n=MOST_BYTES // 1_000_000))
    return bytes(body)


async def decoded(request: web.Request, form: Form) -> Picture:
    """The picture of a form, written anew in a thread; Invalid if there is none."""
    if form.file is None:
        raise Invalid({"picture": _("Choose a picture.")})
    async with request.app[DECODING]:
        try:
            return await asyncio.to_thread(pictures.mend, form.file)
        except NoPicture as problem:
            raise Invalid({"picture": problem.args[0]}) from problem


async def picture(request: web.Request) -> web.StreamResponse:
    """GET of a picture, with the type that we gave it and as nothing else."""
    async with reading(request) as visit:
        row = await images.served(visit.session, visit.viewer, request.match_info["name"])
        if row is None:
            raise web.HTTPNotFound
        is_shown = row.post_id is not None or await choice(visit.session, "icon") == row.name
    headers = {
        "Content-Type": row.media_type,
        "Content-Security-Policy": APART,
        "Content-Disposition": "inline",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": FOR_AN_HOUR if is_shown else "private, no-store",
    }
    return web.Response(body=row.body, headers=headers)


@dataclass(frozen=True)
class IconPage:
    shown: str
    alt: str
    mandate: int
    done: str = ""
    problems: Problems = field(default_factory=Problems)


async def icon_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        if not visit.viewer.is_member:
            return see("/login?next=/posts/icon")
    return await _icon_page(request, Form(), Problems())


async def _icon_page(request: web.Request, form: Form, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        mandate = visit.viewer.require("speak")
        icon = await images.icon_of(visit.session, request.app[HOME])
        address = icon["url"] if icon else f"{visit.collective.uri}/icon.png"
        context = IconPage(
            shown=address.removeprefix(request.app[HOME].url),
            alt=form.one("alt"),
            mandate=mandate.id,
            done=DONE.get(request.query.get("done", ""), ""),
            problems=problems,
        )
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
        return page(request, frame_of(visit), "posts/icon.html", context, status)


async def change_icon(request: web.Request, form: Form) -> web.StreamResponse:
    """The collective is shown by another picture."""
    async with reading(request) as visit:
        visit.viewer.require_member()
        visit.viewer.require("speak")
    try:
        images.check_alt(form.one("alt"))
        made = await decoded(request, form)
        async with acting(request) as visit:
            await images.choose_icon(
                visit.session, request.app[HOME], visit.viewer, made, form.one("alt"), visit.now
            )
    except Refusal as refusal:
        return await _icon_page(request, form, problems_of(refusal))
    return see("/posts/icon?done=pictured")
