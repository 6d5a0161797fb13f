"""Asking to join without an invitation: a visitor says who they are, and whoever may admit answers.

Strangers write here, so everything is bounded: how many requests wait in all and from one place, how long they wait, how long they
are. The face counts attempts and hashes the password before it calls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from models import accounts, people
from models.accounts import JoinRequest
from models.choices import all_choices, choose
from models.events import log
from models.people import Member
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid, NotFound, TooMany
from server.actions import mailing, single_mails
from server.actions.people import TAKEN, become_member
from server.home import Home
from server.viewer import Viewer

CHOICE: Final = "join-requests"
WAITS = timedelta(days=30)
MOST_WAITING: Final = 50
MOST_FROM_ONE_PLACE: Final = 3
MOST_WORDS: Final = 1000
MOST_ANSWER: Final = 500


@dataclass(frozen=True)
class Asked:
    """What a visitor says. `address`: where one mail with the answer goes."""

    login: str
    name: str
    words: str
    address: str | None = None


def taken(choices: Mapping[str, Any], members: int) -> bool:
    """Does a collective of so many members take requests? Yes, until it says otherwise."""
    return bool(choices.get(CHOICE, True)) and members > 0


async def are_taken(session: AsyncSession) -> bool:
    return taken(await all_choices(session), await people.member_count(session))


async def check_open(session: AsyncSession, place: str, now: datetime) -> None:
    """There is room for one more request, from this place too; NotFound where none are taken."""
    if not await are_taken(session):
        raise NotFound(
            "not-found", phrase("Either nothing is at this address, or it is not open to everybody.")
        )
    waiting = await accounts.requests_waiting(session, now - WAITS)
    if len(waiting) >= MOST_WAITING:
        raise TooMany("requests", phrase("Many people have asked already. Please come back in a few days."))
    if sum(one.place == place for one in waiting) >= MOST_FROM_ONE_PLACE:
        raise TooMany("requests", phrase("Several requests from where you are have not been answered yet."))


def check_words(words: str) -> None:
    if not 1 <= len(words) <= MOST_WORDS:
        raise Invalid(
            {
                "words": phrase(
                    "Write a few words about who you are (at most {n} characters).",
                    n=MOST_WORDS,
                )
            }
        )


def check_address(address: str | None) -> None:
    """Nothing, or what looks like an address."""
    if address is not None:
        mailing.check_address(address)


async def ask_to_join(
    session: AsyncSession, asked: Asked, password_hash: str, place: str, now: datetime
) -> JoinRequest:
    """A request waits for whoever may admit. It lasts 30 days."""
    await people.lock_assembly(session)
    await check_open(session, place, now)
    await session.execute(delete(JoinRequest).where(JoinRequest.at <= now - WAITS))
    before = await accounts.request_by_login(session, asked.login, now - WAITS)
    if await people.member_by_login(session, asked.login) is not None or before is not None:
        raise Invalid({"login": TAKEN})
    row = JoinRequest(
        login=asked.login,
        name=asked.name,
        words=asked.words,
        password_hash=password_hash,
        place=place,
        address=asked.address,
        at=now,
    )
    session.add(row)
    log(session, "admission asked for", now)
    return row


async def waiting(session: AsyncSession, viewer: Viewer, now: datetime) -> Sequence[JoinRequest]:
    """What waits for an answer. Needs `admit`."""
    viewer.require("admit")
    return await accounts.requests_waiting(session, now - WAITS)


async def _waiting_one(session: AsyncSession, number: int, now: datetime) -> JoinRequest:
    row = await session.get(JoinRequest, number, with_for_update=True)
    if row is None or row.at <= now - WAITS:
        raise NotFound(
            "not-found", phrase("This request is not here any more: it was answered, or it is over.")
        )
    if row.declined_at is not None:
        raise Conflict("request-answered", phrase("Somebody has answered this request meanwhile."))
    return row


async def admit(session: AsyncSession, home: Home, viewer: Viewer, number: int, now: datetime) -> Member:
    """Who asked is a member now, and logs in with what they chose. Needs `admit`."""
    mandate = viewer.require("admit")
    await people.lock_assembly(session)
    row = await _waiting_one(session, number, now)
    newcomer = Member(login=row.login, name=row.name, about=row.words, password_hash=row.password_hash)
    member = await become_member(session, newcomer, now)
    if row.address is not None:
        await single_mails.write_answer(session, home, row.address, now, admitted=True)
    await session.delete(row)
    log(session, "member admitted", now, mandate_id=mandate.id, member=member.id)
    return member


async def decline(
    session: AsyncSession, home: Home, viewer: Viewer, number: int, answer: str, now: datetime
) -> None:
    """The request is declined; who asked reads the answer when they try to log in. Needs `admit`."""
    mandate = viewer.require("admit")
    row = await _waiting_one(session, number, now)
    if len(answer) > MOST_ANSWER:
        raise Invalid({f"answer-{number}": phrase("Write at most {n} characters.", n=MOST_ANSWER)})
    row.declined_at, row.answer, row.mandate_id = now, answer, mandate.id
    if row.address is not None:
        await single_mails.write_answer(session, home, row.address, now, admitted=False)
    row.words, row.address = "", None
    log(session, "admission declined", now, mandate_id=mandate.id)


async def decline_all(session: AsyncSession, viewer: Viewer, up_to: int, now: datetime) -> int:
    """Every request up to this number is declined without words, and without mail: for when strangers fill the list. Needs
    `admit`."""
    mandate = viewer.require("admit")
    rows = [row for row in await accounts.requests_waiting(session, now - WAITS) if row.id <= up_to]
    for row in rows:
        row.declined_at, row.mandate_id, row.words, row.address = now, mandate.id, "", None
    log(session, "admissions declined", now, mandate_id=mandate.id, count=len(rows))
    return len(rows)


async def take_requests(session: AsyncSession, viewer: Viewer, taken: bool, now: datetime) -> None:
    """From now on visitors can ask to join, or cannot. Needs `admit`."""
    mandate = viewer.require("admit")
    await choose(session, CHOICE, taken, now, mandate.id)
    log(session, "requests to join", now, mandate_id=mandate.id, taken=taken)
