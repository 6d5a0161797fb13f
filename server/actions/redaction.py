"""Scrubbing: after a text was redacted, it also goes from what this instance published and from the circle's drafts.

Posts that everybody could read are told again without the words, by the next pass (`server.actions.refreshing.refresh`).
"""

import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import codec
from models import ledger
from models.base import wake
from models.decisions import Draft
from models.ledger import RecordRow, Scope, Signed
from models.posts import Activity, Post
from models.rules.phrases import phrase
from models.rules.records import instant, read_again, stamp
from models.talk import PulseVote
from server.actions import pulse, refreshing
from server.actions.languages import language_of
from server.language import said_in, speaking
from server.translate import paragraphs
from server.translate_records import shortened

REMOVED = phrase("(A text was removed here.)")
POLL_ENDED = phrase(
    "With it an option of this poll lost its name, so the poll is closed. The circles go on deciding."
)

Gone = Mapping[str, str]
"""Texts about to be removed, by digest."""


async def named_by(session: AsyncSession, scope: Scope, signed: Sequence[Signed]) -> Gone:
    """The texts that Redacts among these records name, as long as they are still here."""
    digests = [s.record["text"] for s in signed if s.record.type == "Redact"]
    found = await ledger.texts(session, scope.id, digests) if digests else {}
    return {digest: row.text for digest, row in found.items() if row.text is not None}


async def scrub(session: AsyncSession, scope: Scope, texts: Gone, now: datetime) -> None:
    """Take those of these texts that the ledger no longer holds out of stored posts, activities and drafts."""
    if not texts:
        return
    rows = await ledger.texts(session, scope.id, texts)
    gone = {digest: text for digest, text in texts.items() if rows[digest].redacted_by is not None}
    if not gone:
        return
    with speaking(await language_of(session)):
        await _scrub(session, scope, gone, now)


async def _scrub(session: AsyncSession, scope: Scope, gone: Gone, now: datetime) -> None:
    for post in (await session.scalars(select(Post).where(Post.scope == scope.name))).all():
        _scrub_post(post, gone, now)
        for (
            digest,
            text,
        ) in gone.items():  # answers to an option of a poll, which has another name from now on
            names = (text, shortened(text))
            answers = (PulseVote.post_id == post.id, PulseVote.option.in_(names))
            await session.execute(update(PulseVote).where(*answers).values(option=_instead(digest)))
    await wake(session, "pulses")
    for activity in (await session.scalars(select(Activity).where(Activity.scope == scope.name))).all():
        activity.body = _without(activity.body, gone)
    words = list(gone.values())
    same = or_(Draft.reason.in_(words), Draft.resolve.in_(words))  # versions that were never cast
    await session.execute(update(Draft).where(Draft.scope_id == scope.id, same).values(reason="", resolve=""))
    query = select(RecordRow).where(RecordRow.scope_id == scope.id, RecordRow.type == "Ballot")
    for row in (await session.scalars(query)).all():
        if gone.keys() & read_again(row.document, row.digest).texts():
            await session.execute(
                update(Draft).where(Draft.ballot == row.digest).values(reason="", resolve="")
            )


def _scrub_post(post: Post, gone: Gone, now: datetime) -> None:
    """A poll of which an option lost its name is over: with other names its answers would be lost elsewhere, one by one."""
    before, post.body = codec.decode(post.body), _without(post.body, gone)
    after = codec.decode(post.body)
    if after == before:
        return
    after["updated"] = stamp(now)
    is_open = after["type"] == "Question" and "closed" not in after and now < instant(after["endTime"])
    if is_open and pulse.options_of(after) != pulse.options_of(before):
        after = refreshing.closed(after, now) | {
            "content": paragraphs(said_in(REMOVED)) + paragraphs(said_in(POLL_ENDED))
        }
        post.featured_until = now if post.featured_until else None
    post.body, post.updated_at = codec.encode(after), now
    post.refresh_at = now if post.is_public else None


def _without(body: bytes, gone: Gone) -> bytes:
    document = codec.decode(body)
    if not _take_out(document, gone):
        return body
    document.pop("proof", None)  # it proved the words that are gone
    return codec.encode(document)


def _take_out(document: Any, gone: Gone) -> int:
    """Remove the texts wherever they are carried or shown; how many places were changed."""
    if isinstance(document, list):
        return sum(_take_out(item, gone) for item in document)
    if not isinstance(document, dict):
        return 0
    changed = sum(_take_out(value, gone) for key, value in document.items() if key != codec.TEXTS)
    carried = document.get(codec.TEXTS, {})
    if gone.keys() & carried.keys():
        document[codec.TEXTS] = {digest: text for digest, text in carried.items() if digest not in gone}
        changed += 1
    content = document.get("content")
    if isinstance(content, str) and any(_shows(content, text) for text in gone.values()):
        document["content"] = paragraphs(said_in(REMOVED))
        document.pop("contentMap", None)
        changed += 1
    for digest, text in gone.items():
        if document.get("name") in (text, shortened(text)):  # an option of a poll, which stays one of its own
            document["name"] = _instead(digest)
            changed += 1
    return changed


def _instead(digest: str) -> str:
    return said_in(phrase("(removed) {mark}", mark=digest[:8]))


def _shows(content: str, text: str) -> bool:
    return html.escape(text) in content or paragraphs(text) in content
