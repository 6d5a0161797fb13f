"""What keys and digests stand for on a page: the texts of a scope, and the collectives and circles by name.

A text that was removed, or that has not arrived, is said as such; a collective that we know nothing of is shown by its address.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from models import ledger, people
from models.ledger import Participant, Scope, TextRow
from models.people import Actor
from models.rules.phrases import phrase
from models.rules.records import Record
from models.rules.terms import Place
from server.language import _, said_in
from server.web.words import REDACTIONS

TEXT_AT_MOST = 20_000
TITLE_AT_MOST = 300
NOT_HERE = phrase("This text has not arrived here.")


@dataclass(frozen=True)
class Said:
    """A text of a record. Without `text`, `instead` says why there is none."""

    text: str | None
    lang: str | None = None
    instead: str = NOT_HERE
    removal: str = ""  # the page on which this viewer can remove it

    @property
    def plain(self) -> str:
        """For titles of pages."""
        return said_in(self.text if self.text is not None else self.instead)


@dataclass(frozen=True)
class Who:
    """A collective as a page names it. `here`: it is our own."""

    name: str
    address: str
    url: str
    here: bool


@dataclass(frozen=True)
class Names:
    """Lookups for one scope."""

    texts: Mapping[str, TextRow]
    actors: Mapping[str, Actor]
    participants: Mapping[str, Participant]
    instances: Mapping[str, str]
    removals: Mapping[str, str] = field(default_factory=dict)

    def said(self, digest: str, most: int = TEXT_AT_MOST) -> Said:
        """The text of this digest. Our own forms take no text that would be cut here; other software may."""
        row = self.texts.get(digest)
        if row is None:
            return Said(None)
        if row.text is not None:
            text = row.text if len(row.text) <= most else f"{row.text[:most]} […]"
            return Said(text, row.lang, removal=self.removals.get(digest, ""))
        by = self._signer(row.redacted_by or "")
        why = REDACTIONS.get(row.redaction_code or "", REDACTIONS["other"])
        return Said(None, None, _("Removed by {name}: {why}.", name=by, why=why))

    def title(self, digest: str) -> Said:
        """A text that stands on one line: a question, a title, a name."""
        return self.said(digest, TITLE_AT_MOST)

    def maybe(self, digest: str | None) -> Said | None:
        return None if digest is None else self.said(digest)

    def _signer(self, key: str) -> str:
        known = key in self.actors or key in self.participants
        return self.collective(key).name if known else _("the circle that wrote it")

    def collective(self, key: str) -> Who:
        """A collective by its key."""
        actor, participant = self.actors.get(key), self.participants.get(key)
        if actor is not None:
            url = f"/@{actor.handle}" if actor.is_local else actor.url or actor.uri
            return Who(actor.name or actor.handle, actor.address, web_address(url), actor.is_local)
        if participant is not None:
            return Who(
                participant.authority, participant.authority, web_address(participant.actor_uri), False
            )
        return Who(_("A collective not known here ({key})", key=key[-8:]), "", "", False)

    def instance(self, key: str) -> Who:
        """The collective whose instance has this key."""
        return self.collective(self.instances.get(key, key))

    def circle(self, place: Place) -> Said:
        return self.title(place.name)


def web_address(url: str) -> str:
    """An address that may stand in a link; nothing for what is none."""
    return url if url.startswith(("https://", "http://", "/")) else ""


async def names_of(session: AsyncSession, scope: Scope, records: list[Record]) -> Names:
    """Everything that the pages of this scope name."""
    participants = {p.key: p for p in await ledger.participants(session, scope.id)}
    answers = [record for record in records if record.type == "Answer"]
    keys = {record.by for record in records} | set(participants)
    return Names(
        texts=await ledger.texts(session, scope.id),
        actors=await people.actors_by_key(session, keys),
        participants=participants,
        instances={answer["instance"]: answer.by for answer in answers},
    )
