"""The people of the demo and what they do: the same actions as behind the pages, in the same transactions."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncSession

from models import decisions, ledger, people
from models.ledger import Scope
from models.rules.standing import Standing, standing
from server.actions import balloting, convening, seating
from server.actions import people as joining
from server.actions.balloting import Words
from server.actions.founding import KeyPair, make_key_pair
from server.cli.stage import Stage
from server.keys import DATABASE, HOME
from server.remote import find
from server.viewer import Viewer

DEMO_PASSWORD = "bread and roses"  # noqa: S105 - it is printed for everybody
QUESTION = "Shall our three collectives buy a cargo bike together?"
PROPOSAL = "Buy one used cargo bike, share it by a weekly calendar"
DETAILS = (
    "It costs 1,800: the bakery pays 800, the couriers 700, the library 300. It lives at the tool library."
)
ANSWER_TIME = timedelta(hours=24)
WINDOW = timedelta(hours=48)
GRACE = timedelta(hours=6)
CHALLENGE = timedelta(hours=48)


@dataclass(frozen=True)
class Cast:
    """One collective of the demo."""

    title: str
    summary: str
    members: Sequence[str]
    takes: str = "binding"


COLLECTIVES: Mapping[str, Cast] = {
    "oak": Cast("Oak Street Bakery", "A worker-owned bakery of four.", ("ana", "bo", "cem", "dara")),
    "elm": Cast(
        "Elm Couriers",
        "A co-op of bicycle couriers.",
        ("eli", "fay", "gus", "hana", "ivo", "jo", "kim"),
    ),
    "ash": Cast("Ash Tool Library", "Two neighbours and four hundred tools.", ("lu", "mo")),
}

REASONS = {
    "oak": ("consent", "It saves us the van on Saturdays, and we can pay our part from the reserve."),
    "elm": ("concern", "We carry it if one of us services the brakes each month, paid in hours."),
    "ash": ("consent", "The bike fits our shed, and a weekly calendar is something two people can run."),
}


class Play:
    """Plays the story on a stage. `say` gets each line of the minutes."""

    def __init__(self, stage: Stage, say: Callable[[str], None]) -> None:
        self.stage = stage
        self.say = say
        self.question = QUESTION
        self.name = ""
        self._began = stage.clock.now()

    @property
    def elapsed(self) -> timedelta:
        """How far the story has moved the clock."""
        return self.stage.clock.now() - self._began

    async def prologue(self) -> None:
        """Members join, oak convenes, the others answer, the voting opens."""
        for name, cast in COLLECTIVES.items():
            await self._everybody_joins(name, cast)
            self.say(
                f"{cast.title}: {', '.join(cast.members)} join; {cast.members[0]} holds the founding mandate."
            )
        await self._convene()
        await self.stage.settle()
        for name in ("elm", "ash"):
            await self._answer(name)
        await self.stage.settle()
        await self.stage.advance(ANSWER_TIME + timedelta(minutes=2))
        view = await self.view("oak")
        self.say(
            f"Voting opens: {len(view.entries)} circles of {len(COLLECTIVES)} collectives are on the roll; "
            f"terms {view.terms.digest[:12] if view.terms else '(none)'} are acknowledged."
        )

    async def vote(self, *, everybody: bool) -> None:
        """Circles write and confirm their ballots; without `everybody` the last words are left to the browser."""
        for name in COLLECTIVES:
            circles = await self._circles(name)
            for number, sitting in enumerate(circles):
                last = not everybody and (name == "ash" or (name == "oak" and number == 0))
                await self._ballot(name, sitting, leave_last=last)
        await self.stage.settle()

    async def to_the_end(self) -> None:
        """The clock passes the close, the grace and the challenge window."""
        await self.stage.advance(WINDOW)
        self.say("The voting closes. Each instance states its circles' last ballots.")
        await self.stage.advance(GRACE + timedelta(minutes=15))
        view = await self.view("elm")
        self.say(f"After the grace each instance counts by itself: {view.outcome}, provisional.")
        await self.stage.advance(CHALLENGE)
        await self.stage.advance(timedelta(minutes=20))
        for name, (state, outcome, _) in (await self.roots()).items():
            self.say(f"{COLLECTIVES[name].title} holds: {outcome}, {state}.")

    async def roots(self) -> dict[str, tuple[str, str, str]]:
        """Per instance: state, outcome, countRoot."""
        found = {}
        for name in COLLECTIVES:
            view = await self.view(name)
            found[name] = (view.state, str(view.outcome), str(view.count_root))
        return found

    async def view(self, name: str) -> Standing:
        """What an instance makes of its records now."""
        app = self.stage.instances[name].app
        async with app[DATABASE].READ() as session:
            scope = await ledger.scope_named(session, self.name)
            if scope is None:
                raise LookupError(f"{name} does not hold the decision")
            now = self.stage.clock.now()
            return standing(await ledger.records(session, scope.id, now), now)

    def steps_left(self) -> list[str]:
        """What a person can do in the browser now."""
        oak, ash = (self.stage.instances[n].url for n in ("oak", "ash"))
        return [
            f"{oak}: log in as dara, open the decision, read your circle's draft and confirm it: it is the third of "
            "three needed, so the bakery's ballot goes out.",
            f"{ash}: log in as lu, write the library's ballot, save it and confirm it; then log in as mo (another private "
            "window) and confirm it too: it takes both.",
            "Look at the decision on each of the three: the same ballots, counted three times.",
            "Press Enter here a few times until the voting has closed, and compare what the three instances counted.",
        ]

    async def _everybody_joins(self, name: str, cast: Cast) -> None:
        instance = self.stage.instances[name]
        database, now = instance.app[DATABASE], self.stage.clock.now()
        password_hash = await asyncio.to_thread(PasswordHasher().hash, DEMO_PASSWORD)
        token = instance.founder_link.rsplit("/", 1)[1]
        for number, login in enumerate(cast.members):
            async with database.ACT.begin() as session:
                await joining.join(session, token, login, login.title(), password_hash, now)
            if number == 0:
                token = joining.new_token()
                async with database.ACT.begin() as session:
                    viewer = await self._viewer(session, login)
                    await joining.invite(session, viewer, joining.token_digest(token), 20, now)

    async def _viewer(self, session: AsyncSession, login: str) -> Viewer:
        member = await people.member_by_login(session, login)
        if member is None:
            raise LookupError(login)
        return await joining.viewer_for(session, member, self.stage.clock.now())

    async def _convene(self) -> None:
        app = self.stage.instances["oak"].app
        invited = [
            await find(app, f"@{name}@{self.stage.instances[name].settings.authority}")
            for name in ("elm", "ash")
        ]
        plan = convening.Plan(
            QUESTION,
            proposals=((PROPOSAL, DETAILS),),
            gather=ANSWER_TIME,
            window=WINDOW,
            grace=GRACE,
            challenge=CHALLENGE,
        )
        async with app[DATABASE].ACT.begin() as session:
            viewer = await self._viewer(session, "ana")
            keys = await self._keys(await seating.circles_to_deal(session))
            scope = await convening.convene(
                session, app[HOME], viewer, plan, invited, keys, self.stage.clock.now()
            )
            self.name = scope.name
        self.say(f"Oak Street Bakery asks: “{QUESTION}” It proposes: {PROPOSAL}. Elm and Ash are invited.")

    async def _answer(self, name: str) -> None:
        app, cast = self.stage.instances[name].app, COLLECTIVES[name]
        async with app[DATABASE].ACT.begin() as session:
            viewer = await self._viewer(session, cast.members[0])
            keys = await self._keys(await seating.circles_to_deal(session))
            scope = await self._scope(session)
            await convening.answer(
                session, app[HOME], viewer, scope, cast.takes, None, keys, self.stage.clock.now()
            )
        self.say(f"{cast.title} answers: {cast.takes} on us.")

    async def _keys(self, count: int) -> list[KeyPair]:
        return list(await asyncio.gather(*(asyncio.to_thread(make_key_pair) for _ in range(count))))

    async def _scope(self, session: AsyncSession) -> Scope:
        scope = await ledger.scope_named(session, self.name)
        if scope is None:
            raise LookupError("the decision has not arrived")
        return scope

    async def _circles(self, name: str) -> list[list[str]]:
        """The circles of a collective on this decision's roll, as log-in names."""
        async with self.stage.instances[name].app[DATABASE].READ() as session:
            scope = await self._scope(session)
            circles = await people.circles_by_key(session)
            seated = [await decisions.seats(session, scope.id, c.id) for c in circles.values()]
        return [[m.login for m in sitting] for sitting in seated if sitting]

    async def _ballot(self, name: str, sitting: Sequence[str], *, leave_last: bool) -> None:
        """A circle notes positions, drafts, confirms. `leave_last`: stop one confirmation short (alone: before the draft)."""
        app = self.stage.instances[name].app
        position, reason = REASONS[name]
        needed = -(-2 * len(sitting) // 3)
        if leave_last and len(sitting) < 3:
            return
        words = Words({"position": position}, reason=reason)
        async with app[DATABASE].ACT.begin() as session:
            viewer, scope = await self._viewer(session, sitting[0]), await self._scope(session)
            now = self.stage.clock.now()
            await balloting.note_position(session, viewer, scope, words.answer, "", now)
            draft = await balloting.save_draft(session, viewer, scope, words, 0, now)
        confirming = sitting[: needed - 1 if leave_last else needed]
        for login in confirming:
            async with app[DATABASE].ACT.begin() as session:
                viewer, scope = await self._viewer(session, login), await self._scope(session)
                now = self.stage.clock.now()
                await balloting.confirm(session, app[HOME], viewer, scope, draft.number, now)
        cast = "" if leave_last else " and casts its ballot"
        self.say(
            f"{COLLECTIVES[name].title}, circle of {len(sitting)}: {len(confirming)} confirm “{position}”{cast}."
        )
