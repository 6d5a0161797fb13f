"""One's own account: how one is called, the password, language and time zone, and where one is logged in."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import follows, notices
from models.base import LOGINS, changed
from models.events import log
from models.people import Actor, Login, Member
from models.rules.phrases import phrase
from models.rules.refusals import Invalid, NotFound
from server import translate
from server.actions import mailing, outbox, recovering, single_mails
from server.actions.concerned import is_asked_about
from server.actions.people import LENGTHS, NAME_WRONG, PASSWORD_WRONG, token_digest
from server.home import Home
from server.viewer import Viewer

MOST_ABOUT: Final = 1000
NAME_KEPT: Final = phrase(
    "A question whether you stay a member is not over yet. Until then your name stays as it is, so that all know whom it is about."
)
ACTED: Final = timedelta(hours=1)
REGIONS: Final = (
    "Africa",
    "America",
    "Antarctica",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


@cache
def zones() -> Sequence[str]:
    """Time zones as people know them, by region and town."""
    return ("UTC", *sorted(zone for zone in available_timezones() if zone.split("/")[0] in REGIONS))


def check_password(password: str, again: str) -> None:
    """Say what to mend in a new password, before it is hashed."""
    if not LENGTHS[0] <= len(password) <= LENGTHS[1]:
        raise Invalid({"new-password": PASSWORD_WRONG})
    if password != again:
        raise Invalid({"again": phrase("The two are not the same. Write the new password once more.")})


async def describe(
    session: AsyncSession, home: Home, viewer: Viewer, name: str, about: str, now: datetime
) -> None:
    """How the member is called and what they say of themselves. Followers of a public profile are told a new name. While all are
    asked about somebody, that is their name: it is by it that the others know whom it is about."""
    member = viewer.require_member()
    wrong = {}
    if not 1 <= len(name) <= 80:
        wrong["name"] = NAME_WRONG
    elif name != member.name and await is_asked_about(session, member, now):
        wrong["name"] = NAME_KEPT
    if len(about) > MOST_ABOUT:
        wrong["about"] = phrase("Write at most {n} characters.", n=MOST_ABOUT)
    if wrong:
        raise Invalid(wrong)
    member.name, member.about = name, about
    actor = await session.get(Actor, member.actor_id) if member.actor_id else None
    if actor is not None and actor.gone_at is None and actor.name != name:
        actor.name = name
        document = translate.actor_document(home, actor)
        activity = translate.changed_actor(home, actor, document, secrets.token_hex(32), now)
        inboxes = await follows.follower_inboxes(session, actor.id)
        await outbox.publish(session, home, actor, activity, inboxes, now)
    log(session, "profile changed", now)


async def prefer(
    session: AsyncSession, viewer: Viewer, lang: str, zone: str, languages: Sequence[str]
) -> None:
    """The language and time zone in which the member wants to read. An empty language: as the browser asks."""
    member = viewer.require_member()
    wrong = {}
    if lang and lang not in languages:
        wrong["lang"] = phrase("Choose one of the languages of the list.")
    if zone not in zones():
        wrong["zone"] = phrase("Choose one of the time zones of the list.")
    if wrong:
        raise Invalid(wrong)
    member.lang, member.zone = lang or None, zone
    await mailing.reschedule(session, member, viewer.now)


async def change_password(
    session: AsyncSession, home: Home, member: Member, password_hash: str, token: str | None, now: datetime
) -> None:
    """The password is another; every other log-in than the one with this cookie is ended, and links to set another open nothing
    any more: whoever changes it may do so because somebody else has one. The member is told."""
    member.password_hash = password_hash
    await recovering.cancel_open(session, member.id, now)
    await end_others(session, member.id, token)
    await single_mails.warn(session, home, member, "password-changed", now)
    log(session, "password changed", now)


async def logins_of(session: AsyncSession, member_id: int, now: datetime) -> Sequence[Login]:
    """Where somebody is logged in, the latest first."""
    query = select(Login).where(Login.member_id == member_id, Login.expires_at > now)
    return (await session.scalars(query.order_by(Login.id.desc()))).all()


async def end_login(session: AsyncSession, viewer: Viewer, number: int) -> str:
    """End one log-in of the viewer's; returns the digest of its token."""
    row = await session.get(Login, number)
    if row is None or row.member_id != viewer.require_member().id:
        raise NotFound("not-found", phrase("This log-in is not there any more."))
    await session.delete(row)
    await changed(session, LOGINS)
    return row.token_hash


async def end_others(session: AsyncSession, member_id: int, token: str | None) -> None:
    """End every log-in of a member, save the one with this cookie, and their secret address: who was logged in may have made it."""
    query = delete(Login).where(Login.member_id == member_id)
    await session.execute(query.where(Login.token_hash != token_digest(token)) if token else query)
    await notices.end_address(session, member_id)
    await changed(session, LOGINS)


async def note_act(session: AsyncSession, token: str, now: datetime) -> None:
    """Something was sent from the browser with this cookie; noted to the hour."""
    row = await session.scalar(select(Login).where(Login.token_hash == token_digest(token)))
    if row is not None and (row.acted_at is None or row.acted_at <= now - ACTED):
        row.acted_at = now
