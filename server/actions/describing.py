"""How the collective presents itself on its instance: its name, what it says of itself, the colour of its pages."""

import hashlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from models import people
from models.choices import all_choices, choose
from models.events import log
from models.people import Actor
from models.rules.hues import HUES
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid
from server.actions.founding import ASSEMBLY
from server.actions.images import tell_profile
from server.actions.languages import LANGUAGE, language_in
from server.actions.telling import us
from server.home import Home
from server.language import ENGLISH, LANGUAGES, said_in, speaking
from server.viewer import Viewer

HUE: Final = "hue"
MOST_NAME: Final = 80
MOST_SUMMARY: Final = 1000


@dataclass(frozen=True)
class Looks:
    """Name, words, the name of a hue (or nothing, for the usual colour), and the language of the instance."""

    name: str
    summary: str
    hue: str
    language: str = ENGLISH

    @property
    def digest(self) -> str:
        """Tells whether somebody has changed them meanwhile."""
        return hashlib.sha256("\n".join(astuple(self)).encode()).hexdigest()[:16]


def hue_in(choices: Mapping[str, Any]) -> str:
    """The hue that the collective chose; empty where it keeps the usual colour."""
    name = str(choices.get(HUE, ""))
    return name if name in HUES else ""


def has_hue(choices: Mapping[str, Any]) -> bool:
    """Has anybody chosen a colour, were it the usual one?"""
    return choices.get(HUE) is not None


async def describe(
    session: AsyncSession, home: Home, viewer: Viewer, looks: Looks, seen: str, now: datetime
) -> None:
    """It looks so from now on. Followers are told a new name or new words. `seen`: the digest of what was there when somebody
    began to write. Needs `operate`."""
    mandate = viewer.require("operate")
    _check(looks)
    ours, _ = await us(session)
    collective = await session.get_one(Actor, ours.id, with_for_update={"of": Actor}, populate_existing=True)
    set_here = await all_choices(session)
    before = Looks(collective.name, collective.summary, hue_in(set_here), language_in(set_here))
    has_chosen = has_hue(set_here)
    if looks == before and has_chosen:
        return
    if seen != before.digest:
        raise Conflict(
            "described",
            phrase(
                "Somebody has changed this while you wrote. Yours is below: save it again to replace theirs."
            ),
        )
    if (looks.name, looks.summary) != (before.name, before.summary):
        collective.name, collective.summary = looks.name, looks.summary
        await session.flush()
        await tell_profile(session, home, collective, now)
    if looks.hue != before.hue or not has_chosen:
        await choose(session, HUE, looks.hue, now, mandate.id)
    if looks.language != before.language:
        await choose(session, LANGUAGE, looks.language, now, mandate.id)
        await _name_assembly(session, home, looks.language, now)
    log(session, "collective described", now, mandate_id=mandate.id)


async def _name_assembly(session: AsyncSession, home: Home, language: str, now: datetime) -> None:
    """The assembly is called so in the language of the instance. In records that are signed already its name stays."""
    circle = next(one for one in await people.circles(session) if one.is_assembly)
    assembly = await session.get_one(Actor, circle.actor_id, with_for_update={"of": Actor})
    with speaking(language):
        assembly.name = said_in(ASSEMBLY)
    await session.flush()
    await tell_profile(session, home, assembly, now)


def _check(looks: Looks) -> None:
    """Say per field what to mend."""
    wrong = {}
    if not 1 <= len(looks.name) <= MOST_NAME:
        wrong["name"] = phrase("Say what the collective is called (at most {n} characters).", n=MOST_NAME)
    if len(looks.summary) > MOST_SUMMARY:
        wrong["summary"] = phrase(
            "Write at most {n} characters; these are {now}.",
            n=MOST_SUMMARY,
            now=len(looks.summary),
        )
    if looks.hue and looks.hue not in HUES:
        wrong["hue"] = phrase("Choose one of the colours of the list.")
    if looks.language not in LANGUAGES:
        wrong["language"] = phrase("Choose one of the languages of the list.")
    if wrong:
        raise Invalid(wrong)
