"""Pictures that members upload to post, and the collective's own. Their bytes were written anew before (`server.pictures`)."""

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from activitypub import vocabulary
from models import follows, people
from models.choices import choice, choose
from models.events import log
from models.people import Actor
from models.rules.phrases import phrase
from models.rules.refusals import Invalid, TooMany
from models.uploads import Upload
from server import translate
from server.actions import outbox
from server.actions.languages import language_of
from server.actions.telling import us
from server.home import Home
from server.pictures import Picture
from server.viewer import Viewer

Json = dict[str, Any]

ALT_LENGTH: Final = 1_500
MOST_PENDING: Final = 20  # pictures of one member that are in no post yet
PENDING_FOR: Final = timedelta(days=1)


def check_alt(alt: str) -> str:
    """The description without white space around it; says what to mend if there is none."""
    words = alt.strip()
    if not words:
        raise Invalid({"alt": phrase("Say what can be seen, for those who do not see it.")})
    if len(words) > ALT_LENGTH:
        raise Invalid({"alt": phrase("Keep the description under {n} characters.", n=ALT_LENGTH)})
    return words


async def keep(session: AsyncSession, viewer: Viewer, picture: Picture, alt: str, now: datetime) -> Upload:
    """A picture waits to be posted; what waited for a day is forgotten. Needs `speak`."""
    mandate = viewer.require("speak")
    words = check_alt(alt)
    member = viewer.require_member()
    icon = await choice(session, "icon")
    waiting = (Upload.post_id.is_(None), Upload.name != (icon or ""))
    await session.execute(delete(Upload).where(*waiting, Upload.created_at <= now - PENDING_FOR))
    many = select(func.count()).where(*waiting, Upload.member_id == member.id)
    if (await session.scalar(many) or 0) >= MOST_PENDING:
        raise TooMany(
            "pictures", phrase("You have uploaded many pictures without posting them. Wait until tomorrow.")
        )
    row = _row(picture, words, member.id, now)
    session.add(row)
    await session.flush()
    log(session, "picture uploaded", now, mandate_id=mandate.id)
    return row


def _row(picture: Picture, alt: str, member_id: int, now: datetime) -> Upload:
    return Upload(
        name=secrets.token_hex(16),
        media_type=picture.media_type,
        body=picture.body,
        width=picture.width,
        height=picture.height,
        alt=alt,
        member_id=member_id,
        created_at=now,
    )


async def waiting_among(session: AsyncSession, viewer: Viewer, names: list[str]) -> list[Upload]:
    """Those of these pictures that this member uploaded and that are in no post yet, in this order."""
    member = viewer.require_member()
    query = select(Upload).where(
        Upload.name.in_(names), Upload.post_id.is_(None), Upload.member_id == member.id
    )
    found = {row.name: row for row in (await session.scalars(query)).all()}
    return [found[name] for name in dict.fromkeys(names) if name in found]


async def served(session: AsyncSession, viewer: Viewer, name: str) -> Upload | None:
    """The picture of this name: everybody's once it is in a post or shown by the collective, before that its uploader's."""
    row = await session.scalar(select(Upload).where(Upload.name == name).options(undefer(Upload.body)))
    if row is None or row.post_id is not None or await choice(session, "icon") == name:
        return row
    return row if viewer.member is not None and viewer.member.id == row.member_id else None


async def icon_of(session: AsyncSession, home: Home) -> Json | None:
    """The collective's own picture, if there is one, as its actor shows it."""
    name = await choice(session, "icon")
    row = None if name is None else await session.scalar(select(Upload).where(Upload.name == name))
    return None if row is None else vocabulary.image(home.uri(f"media/{row.name}"), row.media_type, row.alt)


async def choose_icon(
    session: AsyncSession, home: Home, viewer: Viewer, picture: Picture, alt: str, now: datetime
) -> None:
    """From now on the collective is shown by this picture; its followers are told. Needs `speak`."""
    mandate = viewer.require("speak")
    words = check_alt(alt)
    before = await choice(session, "icon")
    if before is not None:
        await session.execute(delete(Upload).where(Upload.name == before))
    row = _row(picture, words, viewer.require_member().id, now)
    session.add(row)
    await choose(session, "icon", row.name, now, mandate.id)
    await session.flush()
    collective, _ = await us(session)
    await tell_profile(session, home, collective, now)
    log(session, "picture of the collective changed", now, mandate_id=mandate.id)


async def tell_profile(session: AsyncSession, home: Home, actor: Actor, now: datetime) -> None:
    """Followers learn how the collective, or a circle of it, describes itself now."""
    is_collective = actor.kind == "collective"
    icon = await icon_of(session, home) if is_collective else None
    members = await people.member_count(session) if is_collective else None
    document = translate.actor_document(home, actor, members, icon, await language_of(session))
    activity = translate.changed_actor(home, actor, document, secrets.token_hex(8), now)
    inboxes = await follows.follower_inboxes(session, actor.id)
    await outbox.publish(session, home, actor, activity, inboxes, now, is_public=True)
