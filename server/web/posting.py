"""Speaking as the collective: writing a post, looking at it as everybody will see it, changing it, deleting it.

Nothing goes out before it was looked at: the form leads to a preview, and only the preview has the button that publishes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web
from markupsafe import Markup
from sqlalchemy import select

from models.people import Actor
from models.posts import Post
from models.rules.refusals import Invalid, Refusal
from models.uploads import Upload
from server.actions import images, speaking
from server.actions.speaking import MOST_PICTURES, TEXT_LENGTH
from server.keys import HOME
from server.language import LANGUAGE, _
from server.mentions import mentioned_in
from server.translate_posts import Words, content_of
from server.web.forms import Form, Problems, problems_of
from server.web.media import decoded
from server.web.names import web_address
from server.web.posts import Shown, shown
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading
from server.web.words import LANGUAGES, Choice

TWICE: Final = timedelta(minutes=10)  # the same words within this time are one post


@dataclass(frozen=True)
class Waiting:
    """A picture that will be in the post."""

    name: str
    shown: Shown


@dataclass(frozen=True)
class Preview:
    """The post as everybody will see it."""

    content: Markup
    language: str
    length: int
    told: Sequence[str]


@dataclass(frozen=True)
class WritePage:
    """The form for a new post, or with `changes` for other words of one that is there."""

    action: str
    back: str
    changes: bool
    text: str
    language: str
    languages: Sequence[Choice]
    most: int
    most_pictures: int
    pictures: Sequence[Waiting]
    reply_to: str
    alt: str
    mandate: int
    preview: Preview | None = None
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class DeletePage:
    action: str
    back: str
    content: Markup
    language: str
    mandate: int


async def to_new(_request: web.Request) -> web.StreamResponse:
    """Where a form of this page goes, there is nothing to look at."""
    return see("/posts/new")


async def _member_only(request: web.Request) -> web.Response | None:
    async with reading(request) as visit:
        if visit.viewer.is_member:
            return None
    return see(f"/login?next={request.path}")


async def new_page(request: web.Request) -> web.StreamResponse:
    if (login := await _member_only(request)) is not None:
        return login
    reply_to = request.query.get("reply_to", "")
    async with reading(request) as visit:
        visit.viewer.require("speak")
        if reply_to:
            await speaking.target_of(visit.session, reply_to)
    return await _write(request, Form((("reply_to", reply_to),) if reply_to else ()))


async def _write(
    request: web.Request, form: Form, problems: Problems | None = None, preview: Preview | None = None
) -> web.Response:
    """The form for a new post with what was typed."""
    async with reading(request) as visit:
        mandate = visit.viewer.require("speak")
        waiting = await images.waiting_among(visit.session, visit.viewer, form.every("image"))
        context = WritePage(
            action="/posts/new",
            back="/posts",
            changes=False,
            text=form.one("text"),
            language=form.one("language", LANGUAGE.get()),
            languages=list(LANGUAGES.values()),
            most=TEXT_LENGTH,
            most_pictures=MOST_PICTURES,
            pictures=[Waiting(one.name, _shown(one)) for one in waiting],
            reply_to=web_address(form.one("reply_to")),
            alt=form.one("alt"),
            mandate=mandate.id,
            preview=preview,
            problems=problems or Problems(),
        )
        return page(request, frame_of(visit), "posts/write.html", context, _status(problems))


def _status(problems: Problems | None) -> HTTPStatus:
    return HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK


def _shown(one: Upload) -> Shown:
    return Shown(f"/media/{one.name}", one.alt, one.width, one.height)


async def _words(request: web.Request, form: Form) -> Words:
    """The words of a form, and whom they name; Invalid says what to mend."""
    async with reading(request) as visit:
        visit.viewer.require_member()
        visit.viewer.require("speak")
    text, language = form.one("text"), form.one("language", LANGUAGE.get())
    speaking.check_words(text, language, list(LANGUAGES))
    return Words(text, language, await mentioned_in(request.app, text))


def _preview(request: web.Request, words: Words) -> Preview:
    content = Markup(content_of(request.app[HOME], words))
    return Preview(content, words.language, len(words.text), [one.handle for one in words.mentioned])


async def new(request: web.Request, form: Form) -> web.StreamResponse:
    """Show the post as it will be; from the preview, publish it. The same words twice within ten minutes are one post."""
    try:
        words = await _words(request, form)
        if form.one("step") != "publish":
            return await _write(request, form, preview=_preview(request, words))
        async with acting(request) as visit:
            url = await _already(visit, words, form)
            if url is None:
                row = await speaking.speak(
                    visit.session,
                    request.app[HOME],
                    visit.viewer,
                    words,
                    visit.now,
                    pictures=form.every("image"),
                    reply_to=form.one("reply_to") or None,
                )
                url = orjson.loads(row.body)["url"]
    except Invalid as refusal:
        return await _write(request, form, problems_of(refusal))
    return see(f"{url.removeprefix(request.app[HOME].url)}?done=posted")


async def _already(visit: Visit, words: Words, form: Form) -> str | None:
    """Where the post is that a first click on the same button has just made. Clicks are let in one after the other. The same words
    to somebody else, or with a picture that no post has yet, are another post."""
    await visit.session.get(Actor, visit.collective.id, with_for_update={"of": Actor}, populate_existing=True)
    if await images.waiting_among(visit.session, visit.viewer, form.every("image")):
        return None
    query = select(Post.body).where(
        Post.kind == "post",
        Post.source == words.text,
        Post.in_reply_to == (form.one("reply_to") or None),
        Post.deleted_at.is_(None),
        Post.published_at > visit.now - TWICE,
    )
    body = await visit.session.scalar(query.limit(1))
    return None if body is None else str(orjson.loads(body)["url"])


async def add_picture(request: web.Request, form: Form) -> web.StreamResponse:
    """Keep a picture for the post that is being written, whose words stay in the form."""
    async with reading(request) as visit:
        visit.viewer.require_member()
        visit.viewer.require("speak")
        many = len(await images.waiting_among(visit.session, visit.viewer, form.every("image")))
    try:
        images.check_alt(form.one("alt"))
        if many >= MOST_PICTURES:
            raise Invalid({"picture": _("A post has at most {n} pictures.", n=MOST_PICTURES)})
        made = await decoded(request, form)
        async with acting(request) as visit:
            row = await images.keep(visit.session, visit.viewer, made, form.one("alt"), visit.now)
    except Refusal as refusal:
        return await _write(request, form, problems_of(refusal))
    kept = [(name, value) for name, value in form.pairs if name != "alt"]
    return await _write(request, Form((*kept, ("image", row.name))))


async def edit_page(request: web.Request) -> web.StreamResponse:
    return await _member_only(request) or await _change(request, None)


async def _change(
    request: web.Request, form: Form | None, problems: Problems | None = None, preview: Preview | None = None
) -> web.Response:
    """The form for other words of a post, with those that it has now or with what was typed."""
    token = request.match_info["token"]
    async with reading(request) as visit:
        mandate = visit.viewer.require("speak")
        row = await speaking.post_named(visit.session, request.app[HOME], token)
        if row.deleted_at is not None:
            return see(f"/posts/{token}")
        now_said = await shown(visit, row)
        context = WritePage(
            action=request.path,
            back=f"/posts/{token}",
            changes=True,
            text=form.one("text") if form else row.source or "",
            language=form.one("language") if form else now_said.language,
            languages=list(LANGUAGES.values()),
            most=TEXT_LENGTH,
            most_pictures=0,
            pictures=[Waiting("", one) for one in now_said.pictures],
            reply_to="",
            alt="",
            mandate=mandate.id,
            preview=preview,
            problems=problems or Problems(),
        )
        return page(request, frame_of(visit), "posts/write.html", context, _status(problems))


async def edit(request: web.Request, form: Form) -> web.StreamResponse:
    """Show the changed post as it will be; from the preview, publish the change."""
    token = request.match_info["token"]
    try:
        words = await _words(request, form)
        if form.one("step") != "publish":
            return await _change(request, form, preview=_preview(request, words))
        async with acting(request) as visit:
            await speaking.edit(visit.session, request.app[HOME], visit.viewer, token, words, visit.now)
    except Invalid as refusal:
        return await _change(request, form, problems_of(refusal))
    return see(f"/posts/{token}?done=edited")


async def delete_page(request: web.Request) -> web.StreamResponse:
    """Asks once more before a post is deleted."""
    if (login := await _member_only(request)) is not None:
        return login
    token = request.match_info["token"]
    async with reading(request) as visit:
        mandate = visit.viewer.require("speak")
        row = await speaking.post_named(visit.session, request.app[HOME], token)
        if row.deleted_at is not None:
            return see(f"/posts/{token}")
        now_said = await shown(visit, row)
        context = DeletePage(request.path, f"/posts/{token}", now_said.content, now_said.language, mandate.id)
        return page(request, frame_of(visit), "posts/delete.html", context)


async def delete(request: web.Request, _form: Form) -> web.StreamResponse:
    """Delete the post. A second time changes nothing."""
    token = request.match_info["token"]
    async with acting(request) as visit:
        visit.viewer.require_member()
        visit.viewer.require("speak")
        row = await speaking.post_named(visit.session, request.app[HOME], token)
        if row.deleted_at is None:
            await speaking.withdraw(visit.session, request.app[HOME], visit.viewer, token, visit.now)
    return see(f"/posts/{token}")
