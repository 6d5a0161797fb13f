"""The languages that actions speak: the instance's own, to everybody; a member's, to them."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from models.choices import choice
from models.people import Member
from server.language import ENGLISH

LANGUAGE: Final = "language"


async def language_of(session: AsyncSession) -> str:
    """The language in which the instance speaks to everybody, and to visitors whose browser names none of ours."""
    return str(await choice(session, LANGUAGE, ENGLISH))


def language_in(choices: Mapping[str, Any]) -> str:
    """The same, for who has read all choices."""
    return str(choices.get(LANGUAGE, ENGLISH))


async def language_for(session: AsyncSession, member: Member | None) -> str:
    """The language in which a member reads; the instance's where they chose none."""
    return (member.lang if member else None) or await language_of(session)
