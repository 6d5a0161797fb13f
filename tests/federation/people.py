"""What people of a federation do in tests: the same actions as behind the pages, each in one transaction of their instance.

`Collective` is a collective as its members act, `Circle` one of its circles in the decision at hand. What no page offers (forging,
leaving, challenging) goes through `Collective.sign` and `Collective.say`, with the real keys of the instance.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from models import decisions, ledger, people
from models.ledger import Scope, Signed
from models.people import Actor
from models.rules.records import Record, read
from models.rules.standing import Standing, standing
from server import translate
from server.actions import aftermath, balloting, convening, outbox, proposing, seating, telling
from server.actions import people as joining
from server.actions.balloting import Words
from server.actions.founding import KeyPair
from server.actions.texts import Texts
from server.keys import CLOCK, DATABASE, HOME
from server.remote import find
from server.viewer import Viewer

LOGINS = ("ana", "bo", "cem", "dara", "eli", "fay", "gus", "hana", "ivo", "jo", "kim", "lu")
REASON = "We have talked about it for an evening, and this is where we stand."
RESOLVE = "Take the price out of it, then our circle can live with it."
QUESTION = "Shall we buy a cargo bike together?"
PROPOSAL = "One used cargo bike, shared by a weekly calendar"

Said = str | Sequence[str]
"""A position, or the titles of options ("status-quo" may be among them)."""


class Meeting(Protocol):
    """The federation in which people meet: instances in this process, or processes of their own."""

    decision: str
    """The decision at hand, by name."""
    password_hash: str

    def app_of(self, name: str) -> web.Application: ...
    def founder_token(self, name: str) -> str: ...
    def key_pairs(self, count: int) -> list[KeyPair]: ...
    def authority_of(self, name: str) -> str: ...


@dataclass(frozen=True)
class Circle:
    """A circle of the decision at hand, and who sits in it."""

    home: "Collective"
    key: str
    sitting: tuple[str, ...]

    @property
    def needed(self) -> int:
        return -(-2 * len(self.sitting) // 3)

    async def draft(self, said: Said, reason: str = "", by: int = 0) -> int:
        """A member writes a draft; returns its number."""
        words = await self.home.words(said, reason)
        async with self.home.acting(self.sitting[by]) as (session, viewer, scope):
            latest = await decisions.latest_draft(session, scope.id, await self._id(session))
            base = latest.number if latest else 0
            return (await balloting.save_draft(session, viewer, scope, words, base, self.home.now)).number

    async def confirm(self, number: int, by: int = 0) -> str | None:
        """A member confirms a draft; returns the ballot's digest if that was enough."""
        async with self.home.acting(self.sitting[by]) as (session, viewer, scope):
            return await balloting.confirm(session, self.home.app[HOME], viewer, scope, number, self.home.now)

    async def ballot(self, said: Said, reason: str = "") -> str:
        """The circle drafts, two thirds confirm: returns the ballot's digest."""
        number, cast = await self.draft(said, reason), None
        for by in range(self.needed):
            cast = await self.confirm(number, by)
        assert cast is not None, f"{self.home.name}: {self.needed} confirmations were not enough"
        return cast

    async def _id(self, session: AsyncSession) -> int:
        return (await people.circles_by_key(session))[self.key].id


@dataclass(frozen=True)
class Collective:
    """A collective of the meeting, as its members act."""

    meeting: Meeting
    name: str

    @property
    def app(self) -> web.Application:
        return self.meeting.app_of(self.name)

    @property
    def now(self) -> datetime:
        return self.app[CLOCK].now()

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        async with self.app[DATABASE].READ() as session:
            yield session

    @contextlib.asynccontextmanager
    async def acting(self, login: str) -> AsyncIterator[tuple[AsyncSession, Viewer, Scope]]:
        """One transaction of a member about the decision at hand."""
        async with self.app[DATABASE].ACT.begin() as session:
            yield session, await self._viewer(session, login), await self._scope(session)

    async def _viewer(self, session: AsyncSession, login: str) -> Viewer:
        member = await people.member_by_login(session, login)
        assert member is not None, f"nobody at {self.name} is called {login}"
        return await joining.viewer_for(session, member, self.now)

    async def _scope(self, session: AsyncSession) -> Scope:
        scope = await ledger.scope_named(session, self.meeting.decision)
        assert scope is not None, f"{self.name} does not hold the decision"
        return scope

    # Before the voting

    async def members(self, count: int, token: str | None = None) -> None:
        """People join: the first by the founder's link, the others by an invitation of hers."""
        token = token or self.meeting.founder_token(self.name)
        for number, login in enumerate(LOGINS[:count]):
            async with self.app[DATABASE].ACT.begin() as session:
                await joining.join(session, token, login, login.title(), self.meeting.password_hash, self.now)
            if number == 0:
                token = joining.new_token()
                async with self.app[DATABASE].ACT.begin() as session:
                    viewer = await self._viewer(session, login)
                    await joining.invite(session, viewer, joining.token_digest(token), 20, self.now)

    async def convene(
        self,
        *invited: str,
        question: str = QUESTION,
        proposals: Sequence[str] = (PROPOSAL,),
        gather: timedelta = timedelta(hours=24),
        **plan: Any,
    ) -> str:
        """Ask the others; from now on this is the decision at hand. Returns its name."""
        actors = [await find(self.app, f"@{name}@{self.meeting.authority_of(name)}") for name in invited]
        chosen = convening.Plan(
            question, proposals=[(title, "") for title in proposals], gather=gather, **plan
        )
        async with self.app[DATABASE].ACT.begin() as session:
            viewer = await self._viewer(session, LOGINS[0])
            keys = self.meeting.key_pairs(await seating.circles_to_deal(session))
            scope = await convening.convene(session, self.app[HOME], viewer, chosen, actors, keys, self.now)
            self.meeting.decision = scope.name
        return scope.name

    async def answer(self, takes: str = "binding", ratify_by: datetime | None = None) -> None:
        async with self.acting(LOGINS[0]) as (session, viewer, scope):
            keys = self.meeting.key_pairs(await seating.circles_to_deal(session))
            await convening.answer(session, self.app[HOME], viewer, scope, takes, ratify_by, keys, self.now)

    async def propose(self, title: str, by: str = LOGINS[0]) -> None:
        async with self.acting(by) as (session, viewer, scope):
            await proposing.propose(session, self.app[HOME], viewer, scope, title, "", self.now)

    async def amend(self, option: str, title: str, details: str = "", by: str = LOGINS[0]) -> None:
        async with self.acting(by) as (session, viewer, scope):
            await proposing.amend(session, self.app[HOME], viewer, scope, option, title, details, self.now)

    async def integrate(self, option: str, by: str = LOGINS[0]) -> None:
        async with self.acting(by) as (session, viewer, scope):
            await proposing.integrate(session, self.app[HOME], viewer, scope, option, self.now)

    async def decline(self, option: str, reason: str, by: str = LOGINS[0]) -> None:
        async with self.acting(by) as (session, viewer, scope):
            await proposing.decline(session, self.app[HOME], viewer, scope, option, reason, self.now)

    async def support(self, option: str, says: str, reason: str = "", by: str = LOGINS[0]) -> None:
        async with self.acting(by) as (session, viewer, scope):
            await proposing.support(session, self.app[HOME], viewer, scope, option, says, reason, self.now)

    async def withdraw(self, reason: str = "") -> None:
        async with self.acting(LOGINS[0]) as (session, viewer, scope):
            await convening.withdraw(session, self.app[HOME], viewer, scope, reason, self.now)

    # Voting

    async def circles(self) -> list[Circle]:
        """The circles with which the collective takes part, in the order in which they were seated."""
        async with self.session() as session:
            scope = await self._scope(session)
            known = await people.circles_by_key(session)
            seated = {key: await decisions.seats(session, scope.id, c.id) for key, c in known.items()}
        return [
            Circle(self, key, tuple(m.login for m in sitting)) for key, sitting in seated.items() if sitting
        ]

    async def circle(self, number: int = 0) -> Circle:
        return (await self.circles())[number]

    async def ballot(self, said: Said, reason: str = "") -> str:
        """Every circle says the same; returns the digest of the last one's ballot."""
        return [await circle.ballot(said, reason) for circle in await self.circles()][-1]

    async def words(self, said: Said, reason: str = "") -> Words:
        """A position, or options by title, with a reason where one is needed."""
        if isinstance(said, str):
            resolve = RESOLVE if said == "object" else ""
            return Words(
                {"position": said}, reason or ("" if said in ("consent", "abstain") else REASON), resolve
            )
        titles = await self.options()
        choices = sorted(title if title == "status-quo" else titles[title] for title in said)
        return Words({"choices": choices}, reason or (REASON if choices else ""))

    async def options(self) -> dict[str, str]:
        """The options that are here, title → digest."""
        async with self.session() as session:
            scope = await self._scope(session)
            texts = await ledger.texts(session, scope.id)
            found = await ledger.records(session, scope.id, self.now)
        return {str(texts[r["title"]].text): r.digest for r in found if r.type == "Option"}

    # Afterwards

    async def leave(self, reason: str = "") -> None:
        async with self.acting(LOGINS[0]) as (session, viewer, scope):
            await aftermath.leave(session, self.app[HOME], viewer, scope, reason, self.now)

    async def ratify(self) -> None:
        async with self.acting(LOGINS[0]) as (session, viewer, scope):
            await aftermath.ratify(session, self.app[HOME], viewer, scope, self.now)

    async def object_afterwards(self, reason: str) -> None:
        """The circle of the first member, which was not heard, objects."""
        async with self.acting(LOGINS[0]) as (session, viewer, scope):
            await aftermath.object_afterwards(session, self.app[HOME], viewer, scope, reason, self.now)

    async def redact(self, text: str, code: str = "personal") -> None:
        """Remove a text of ours, named by digest."""
        async with self.acting(LOGINS[0]) as (session, viewer, scope):
            await aftermath.redact(session, self.app[HOME], viewer, scope, text, code, self.now)

    # What an instance holds

    async def records(self, type_: str | None = None) -> list[Record]:
        """Records of the decision at hand that are not held back, by date."""
        async with self.session() as session:
            scope = await self._scope(session)
            found = await ledger.records(session, scope.id, self.now)
        return sorted((r for r in found if type_ in (None, r.type)), key=lambda r: (r.at, r.digest))

    async def view(self) -> Standing:
        return standing(await self.records(), self.now)

    async def texts(self) -> dict[str, str | None]:
        """Texts by digest; None where they were redacted."""
        async with self.session() as session:
            scope = await self._scope(session)
            return {d: row.text for d, row in (await ledger.texts(session, scope.id)).items()}

    # What no page offers

    async def actor(self, who: str | Circle = "collective") -> Actor:
        """The local actor of a circle, or `collective` or `instance`."""
        async with self.session() as session:
            if isinstance(who, Circle):
                return (await people.circles_by_key(session))[who.key].actor
            found = await people.local_actor(session, who)
        assert found is not None
        return found

    async def sign(
        self, type_: str, by: str | Circle = "collective", at: datetime | None = None, **fields: Any
    ) -> Signed:
        """A record signed with a key of this instance, and put nowhere."""
        when = (at or self.now).replace(microsecond=0)
        return self.app[HOME].sign(await self.actor(by), type_, self.meeting.decision, when, **fields)

    async def keep(self, signed: Iterable[Signed], texts: Texts | None = None) -> None:
        """Put records into this instance's ledger, and tell nobody."""
        async with self.app[DATABASE].ACT.begin() as session:
            scope = await ledger.locked_scope(session, self.meeting.decision)
            assert scope is not None
            await ledger.append(session, scope, signed, texts.carried if texts else {}, self.now)

    async def send(self, signed: Sequence[Signed], *to: str, texts: Texts | None = None) -> None:
        """Tell these others (all participants, if none is named) and do not keep it."""
        async with self.app[DATABASE].ACT.begin() as session:
            scope = await self._scope(session)
            collective, _ = await telling.us(session)
            inboxes = await outbox.participant_inboxes(session, scope, self.app[HOME].authority)
            there = {self.meeting.authority_of(name) for name in to}
            chosen = [inbox for inbox in inboxes if not to or urlsplit(inbox).netloc in there]
            uris = [p.actor_uri for p in await ledger.participants(session, scope.id)]
            activity = translate.add(
                self.app[HOME], collective, scope.name, signed, texts.carried if texts else {}, uris, self.now
            )
            activity["id"] = self.app[HOME].uri(f"a/{secrets.token_hex(32)}")  # a record may be told again
            await outbox.publish(
                session, self.app[HOME], collective, activity, chosen, self.now, scope=scope.name
            )

    async def tell_again(self, records: Iterable[Record], *to: str) -> None:
        """Tell records that are held here once more, in a new activity, in this order."""
        named = [record.digest for record in records]
        async with self.session() as session:
            scope = await self._scope(session)
            found = {read(d).digest: d for d in await ledger.documents(session, scope.id, self.now)}
        await self.send([Signed(read(found[digest]), found[digest]) for digest in named], *to)

    async def say(self, type_: str, by: str | Circle = "collective", **fields: Any) -> Record:
        """Sign a record, keep it and tell all participants."""
        signed = await self.sign(type_, by, **fields)
        await self.keep([signed])
        await self.send([signed])
        return signed.record
