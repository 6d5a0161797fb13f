"""Speaking as the collective: posts, replies, edits, deletes. Whatever is said here is public, for good, and named with the
mandate under which it was said. Nothing that is not public can be replied to."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import codec
from models import follows, ledger, people
from models.events import log
from models.people import Actor
from models.posts import Activity, Post, PostTag
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid, NotFound
from models.talk import Reaction, Reply
from models.uploads import Upload
from server import translate, translate_posts
from server.actions import images, outbox
from server.actions.telling import us
from server.home import Home
from server.translate_posts import Mentioned, Words
from server.viewer import Viewer

Json = dict[str, Any]

TEXT_LENGTH: Final = 5_000
MOST_MENTIONED: Final = 10
MOST_PICTURES: Final = 4


@dataclass(frozen=True)
class Target:
    """What is replied to: its id, the thread of ours it stands in, the decision if it is about one, its author elsewhere."""

    uri: str
    thread: str | None
    scope: str | None
    author: Actor | None


async def target_of(session: AsyncSession, uri: str) -> Target:
    """A public post of ours, or a public reply from outside that we keep; refused for anything else."""
    post = await session.scalar(select(Post).where(Post.uri == uri))
    reply = await session.scalar(select(Reply).where(Reply.uri == uri)) if post is None else None
    if reply is not None and reply.deleted_at is None and reply.hidden_at is None and reply.is_public:
        begun = await session.get(Post, reply.post_id) if reply.post_id else None
        public = begun is None or (begun.is_public and begun.thread is not None)
        if public and await _is_public(session, reply.scope):
            author = await people.actor_by_uri(session, reply.author)
            known = author if author and author.gone_at is None else None
            return Target(uri, begun.thread if begun else None, reply.scope, known)
    if post is not None and post.is_public and post.deleted_at is None and post.thread is not None:
        return Target(uri, post.thread, post.scope, None)
    raise NotFound("no-target", phrase("What you reply to is not here, or is not public."))


async def _is_public(session: AsyncSession, name: str | None) -> bool:
    scope = await ledger.scope_named(session, name) if name else None
    return name is None or (scope is not None and scope.visibility == "public")


def check_words(text: str, language: str, languages: Sequence[str]) -> None:
    """Say per field what to mend."""
    wrong = {}
    if not text.strip():
        wrong["text"] = phrase("Write something.")
    elif len(text) > TEXT_LENGTH:
        wrong["text"] = phrase(
            "This has {now} characters; there is room for {n}.",
            now=len(text),
            n=TEXT_LENGTH,
        )
    elif len(translate_posts.handles_in(text)) > MOST_MENTIONED:
        wrong["text"] = phrase("Name at most {n} people or collectives.", n=MOST_MENTIONED)
    if language not in languages:
        wrong["language"] = phrase("Choose one of the languages offered.")
    if wrong:
        raise Invalid(wrong)


async def speak(
    session: AsyncSession,
    home: Home,
    viewer: Viewer,
    words: Words,
    now: datetime,
    *,
    pictures: Sequence[str] = (),
    reply_to: str | None = None,
) -> Post:
    """The collective says something to everybody; followers and who is named are told. Needs `speak`."""
    mandate = viewer.require("speak")
    collective, _ = await us(session)
    token = secrets.token_hex(8)
    target = await target_of(session, reply_to) if reply_to else None
    shown = await images.waiting_among(session, viewer, list(pictures)[:MOST_PICTURES])
    if target is not None and target.author is not None:
        words = Words(words.text, words.language, words.mentioned, [mention_of(target.author)])
    thread = (target.thread if target else None) or token
    body = translate_posts.note(home, collective, token, words, shown, thread, reply_to, now)
    row = await outbox.keep_post(
        session,
        collective,
        body,
        "post",
        now,
        is_public=True,
        scope=target.scope if target else None,
        thread=thread,
        source=words.text,
        mandate_id=mandate.id,
    )
    for one in shown:
        one.post_id = row.id
    _tag(session, row, words.text)
    inboxes = await _concerned(session, collective, row, body)
    await outbox.publish(
        session, home, collective, translate.create(home, body, token), inboxes, now, is_public=True
    )
    log(session, "post published", now, scope=row.scope, mandate_id=mandate.id, post=row.uri)
    return row


def mention_of(actor: Actor) -> Mentioned:
    return Mentioned(actor.address.lower(), actor.uri, actor.url or actor.uri)


async def post_named(session: AsyncSession, home: Home, token: str) -> Post:
    """A post of the collective by what its address ends with, deleted ones too."""
    query = select(Post).where(Post.uri == translate.object_uri(home, token), Post.kind == "post")
    row = await session.scalar(query)
    if row is None:
        raise NotFound(
            "not-found", phrase("Either nothing is at this address, or it is not open to everybody.")
        )
    return row


async def edit(
    session: AsyncSession, home: Home, viewer: Viewer, token: str, words: Words, now: datetime
) -> None:
    """The post says something else from now on; who got it gets it again. The same words change nothing. Needs `speak`."""
    mandate = viewer.require("speak")
    collective, _ = await us(session)
    row = await _living(session, home, token)
    before: Json = orjson.loads(row.body)
    if row.source == words.text and words.language in before.get("contentMap", {}):
        return
    after = row.updated_at or row.published_at
    at = max(now.replace(microsecond=0), after.replace(microsecond=0) + timedelta(seconds=1))
    words = Words(words.text, words.language, words.mentioned, _kept_mentions(before))
    body = translate_posts.edited(home, collective, before, words, at)
    inboxes = await _concerned(session, collective, row, before) | await _concerned(
        session, collective, row, body
    )
    row.body, row.source, row.updated_at = codec.encode(body), words.text, at
    await session.execute(delete(PostTag).where(PostTag.post_id == row.id))
    _tag(session, row, words.text)
    activity = translate.changed(home, body, f"{token}-{int(at.timestamp())}", at)
    await outbox.publish(session, home, collective, activity, inboxes, now, is_public=True)
    log(session, "post edited", now, scope=row.scope, mandate_id=mandate.id, post=row.uri)


def _kept_mentions(before: Json) -> list[Mentioned]:
    """Whoever was told of the post at first is told of its changes, named in it or not."""
    tags = [tag for tag in before.get("tag", ()) if tag["type"] == "Mention"]
    return [Mentioned(tag["name"], tag["href"], tag["href"]) for tag in tags]


async def withdraw(session: AsyncSession, home: Home, viewer: Viewer, token: str, now: datetime) -> None:
    """The post is deleted: its words and pictures go, here and wherever the rules are followed. Needs `speak`."""
    mandate = viewer.require("speak")
    collective, _ = await us(session)
    row = await _living(session, home, token)
    body: Json = orjson.loads(row.body)
    inboxes = await _concerned(session, collective, row, body)
    row.body, row.source, row.deleted_at = codec.encode(translate_posts.emptied(row, body)), None, now
    await session.execute(delete(PostTag).where(PostTag.post_id == row.id))
    await session.execute(delete(Upload).where(Upload.post_id == row.id))
    for activity in await activities_of(session, home, token):
        kept = translate_posts.without_words(orjson.loads(activity.body), row.uri)
        activity.body, activity.is_public = codec.encode(kept), False
    gone = translate_posts.gone(home, collective, token, body, now)
    await outbox.publish(session, home, collective, gone, inboxes, now, is_public=True)
    log(session, "post deleted", now, scope=row.scope, mandate_id=mandate.id, post=row.uri)


async def activities_of(session: AsyncSession, home: Home, token: str) -> Sequence[Activity]:
    """What published and changed a post, oldest first."""
    first = translate.activity_uri(home, token)
    query = select(Activity).where((Activity.uri == first) | Activity.uri.startswith(f"{first}-"))
    return (await session.scalars(query.order_by(Activity.id))).all()


async def _living(session: AsyncSession, home: Home, token: str) -> Post:
    row = await post_named(session, home, token)
    await session.refresh(row, with_for_update=True)
    if row.deleted_at is not None:
        raise Conflict("deleted", phrase("This post was deleted."))
    return row


def _tag(session: AsyncSession, row: Post, text: str) -> None:
    session.add_all(PostTag(post_id=row.id, word=word.casefold()) for word in translate_posts.tags_in(text))


async def _concerned(session: AsyncSession, collective: Actor, row: Post, body: Json) -> set[str]:
    """Where a post goes: followers, whom it names, and who replied to it or passed it on."""
    named = [tag["href"] for tag in body.get("tag", ()) if tag["type"] == "Mention"]
    replied = select(Reply.author).where(Reply.post_id == row.id)
    boosted = select(Reaction.actor).where(Reaction.post_id == row.id, Reaction.kind == "announce")
    inboxes = set(await follows.follower_inboxes(session, collective.id))
    inboxes |= await outbox.inboxes_of(session, named)
    return inboxes | await outbox.inboxes_of(session, replied.union(boosted))
