"""Asking this collective to change its charter. The decision says from the beginning what would be in force; nobody carries it out.

What is proposed stands in words in the signed proposal, parameter by parameter, and as numbers in a row beside it
(`models.charters.ProposedCharter`). One change is asked at a time, so that "until now" in its words stays true.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from models import people
from models.charters import ProposedCharter
from models.ledger import Scope
from models.rules.charters import (
    PARAMETERS,
    Charter,
    Value,
    changed,
    is_enough,
    not_offered,
    says,
    stored,
)
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid
from server.actions.charters import history
from server.actions.convening import Plan, as_chartered, convene
from server.actions.founding import KeyPair
from server.actions.languages import language_of
from server.actions.texts import DETAILS_LENGTH
from server.home import Home
from server.language import said_in, speaking
from server.viewer import Viewer

QUESTION: Final = phrase("Shall we change our charter?")
PROPOSAL: Final = phrase("Our charter is changed as written here")
INTRODUCTION: Final = phrase(
    "Our charter says the least that we ask of every decision we convene; who convenes can ask for more. It would say:"
)
METHODS: Final = ("consent", "majority")
TALK: Final = (timedelta(hours=24), timedelta(hours=48), timedelta(days=7))
VISIBLE: Final = ("public", "collective")
SHORTEST_WHY: Final = 20


@dataclass(frozen=True)
class Change:
    """What somebody asks for: the whole charter that is proposed, why, how it is decided, and the number of the version that was
    in force when they wrote it."""

    charter: Mapping[str, Value]
    why: str
    method: str
    talk: timedelta
    visibility: str
    seen: int


async def ask(
    session: AsyncSession,
    home: Home,
    viewer: Viewer,
    change: Change,
    keys: Sequence[KeyPair],
    now: datetime,
) -> Scope:
    """Ask all circles of this collective, under the charter in force, whether it is changed. Needs `convene`."""
    viewer.require("convene")
    await people.lock_assembly(session)
    known = await history(session, now)
    if known.underway is not None:
        raise Conflict("charter-asked", phrase("A change of our charter is being decided already."))
    current = known.current
    if change.seen != current.number:
        raise Conflict(
            "charter-changed",
            phrase(
                "Our charter has changed while you wrote. What you left as it was follows it, what you chose stands. Look at it, "
                "then send it again."
            ),
        )
    _check(current.charter, change)
    lang = await language_of(session)
    with speaking(lang):
        question, proposal = said_in(QUESTION), said_in(PROPOSAL)
        details = _in_words(current.charter, change.charter)
    plan = Plan(
        question=question,
        details=change.why,
        method=change.method,
        proposals=[(proposal, details)],
        gather=change.talk,
        visibility=change.visibility,
        options="convener",
        lang=lang,
        is_fixed=True,
    )
    scope = await convene(session, home, viewer, as_chartered(plan, current.charter), [], keys, now)
    session.add(ProposedCharter(scope_id=scope.id, parameters=stored(change.charter)))
    return scope


def _check(current: Charter, change: Change) -> None:
    """Say per field what to mend."""
    wrong = {name: phrase("Choose one of these.") for name in not_offered(change.charter)}
    if not wrong and not changed(current, change.charter):
        wrong[next(iter(PARAMETERS))] = phrase("All of this is in force already. Change something.")
    if not SHORTEST_WHY <= len(change.why) <= DETAILS_LENGTH:
        wrong["why"] = phrase(
            "Say why, in {least} to {most} characters.", least=SHORTEST_WHY, most=DETAILS_LENGTH
        )
    if change.method not in METHODS:
        wrong["method"] = phrase("Choose one of the methods offered.")
    if change.talk not in TALK:
        wrong["talk"] = phrase("Choose one of these.")
    elif not is_enough(current["gather"], int(change.talk.total_seconds())):
        wrong["talk"] = says("gather", current)
    if change.visibility not in VISIBLE:
        wrong["visibility"] = phrase("Choose one of these.")
    if wrong:
        raise Invalid(wrong)


def _in_words(current: Charter, asked: Charter) -> str:
    """Every parameter on a line of its own, in the language that is spoken; what changes says what it was."""
    lines = [said_in(INTRODUCTION)]
    for name, one in PARAMETERS.items():
        least = one.words(asked[name])
        if asked[name] == current[name]:
            lines.append(said_in(phrase("{what}: {least}", what=one.label, least=least)))
            continue
        before = one.words(current[name])
        lines.append(
            said_in(
                phrase(
                    "{what}: {least}. New; until now: {before}.", what=one.label, least=least, before=before
                )
            )
        )
    return "\n".join(lines)
