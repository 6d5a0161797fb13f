"""How much pages ask of the database: as much with many past decisions as with few, and nothing twice."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import event, insert

from models.decisions import Decision
from models.ledger import Scope
from server.keys import CLOCK, DATABASE
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.browser import Page
from tests.server.web.conftest import Enter

Ask = Callable[[], Awaitable[Page]]


async def asked_by(fed: Federation, ask: Ask) -> Counter[str]:
    """What a page of the oak asks, each statement with what it is asked for."""
    found: Counter[str] = Counter()

    def note(_connection: Any, _cursor: Any, statement: str, asked: Any, *_: Any) -> None:
        found[f"{statement} {asked}"] += 1

    engine = fed.app_of("oak")[DATABASE].engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    page = await ask()
    event.remove(engine, "before_cursor_execute", note)
    assert page.status == 200
    return found


async def add_past(fed: Federation, many: int, first: int) -> None:
    """Decisions that are over and adopted something."""
    app = fed.app_of("oak")
    now = app[CLOCK].now()
    scopes = [
        {"name": f"{first + n:064x}", "kind": "decision", "visibility": "public", "created_at": now}
        for n in range(many)
    ]
    usual = {"convener": "z6Mk", "method": "consent", "state": "final", "is_over": True, "outcome": "adopted"}
    usual |= {"opens_at": now - timedelta(days=9), "closes_at": now - timedelta(days=7), "as_of": now}
    usual |= {"set_root": "", "set_size": 0}
    async with app[DATABASE].ACT.begin() as session:
        ids = list(
            await session.scalars(insert(Scope).returning(Scope.id, sort_by_parameter_order=True), scopes)
        )
        rows = [
            usual | {"scope_id": id_, "question": one["name"]} for id_, one in zip(ids, scopes, strict=True)
        ]
        await session.execute(insert(Decision), rows)


async def test_pages_ask_no_more_often_where_there_are_more_past_decisions(
    meetings: Meetings, enter: Enter
) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        ana, visitor = await enter(fed, "oak", "ana"), await enter(fed, "oak")
        paths = ("/", "/decisions", "/decisions?q=0", f"/decisions/{fed.decision}", "/people", "/@oak")
        await add_past(fed, 3, 1)
        few = {}
        for path in paths:
            for who in (ana, visitor):
                await who.get(path)  # the first look is kept, which is another statement
                few[who, path] = (await asked_by(fed, lambda who=who, path=path: who.get(path))).total()
        await add_past(fed, 60, 100)
        for (who, path), many in few.items():
            found = await asked_by(fed, lambda who=who, path=path: who.get(path))
            assert found.total() <= many, path


async def test_no_page_asks_the_same_thing_twice(meetings: Meetings, enter: Enter) -> None:
    async with meetings.voting(oak=2, elm=1) as fed:
        ana = await enter(fed, "oak", "ana")
        page = f"/decisions/{fed.decision}"
        for path in ("/", "/decisions", page, f"{page}/circle", f"{page}/count", "/people", "/@oak"):
            await ana.get(path)
            found = await asked_by(fed, lambda path=path: ana.get(path))
            assert [statement for statement, many in found.items() if many > 1] == [], path
