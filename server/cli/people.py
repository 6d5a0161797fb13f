"""`jura people`: what an operator may do with accounts. They see who there is and end log-ins. They open no account that a member
may open: a recovery link is made here only where nobody on the pages could make it."""

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from models import mandates, people
from models.base import open_database
from models.events import log
from models.migrations import check
from models.people import Member
from models.rules.mandates import POWERS, powers_in_force
from models.rules.refusals import NotFound
from server.actions import accounts, recovering
from server.actions.people import new_token, token_digest
from server.clock import FileClock, SystemClock
from server.settings import Settings, read_settings
from server.viewer import as_rule


def flags(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", metavar="WHAT", required=True)
    acts.add_parser(
        "list", help="who is a member, what they may do now, in how many browsers they are logged in"
    )
    link = acts.add_parser(
        "recover",
        help="a link with which a member sets a new password; only while no other member may make one",
    )
    link.add_argument("login", help="the member's log-in name")
    end = acts.add_parser("end-sessions", help="log a member out everywhere, or everybody")
    whom = end.add_mutually_exclusive_group(required=True)
    whom.add_argument("login", nargs="?", help="the member's log-in name")
    whom.add_argument("--all", action="store_true", help="everybody")
    parser.epilog = (
        "Members are admitted, helped and removed on the pages, under mandates. What is done here stands in the log, "
        "and a member is told of a link that was made for them."
    )


def run(args: argparse.Namespace) -> int:
    settings = read_settings()
    if args.act == "list":
        print(asyncio.run(_list(settings)))
    elif args.act == "recover":
        print(asyncio.run(_recover(settings, args.login)))
    else:
        print(asyncio.run(_end_sessions(settings, None if args.all else args.login)))
    return 0


@contextlib.asynccontextmanager
async def _acting(settings: Settings) -> AsyncIterator[tuple[AsyncSession, datetime]]:
    database = open_database(settings.database)
    try:
        await check(database.engine)
        clock = FileClock(settings.clock) if settings.clock else SystemClock()
        async with database.ACT.begin() as session:
            yield session, clock.now()
    finally:
        await database.close()


async def _member(session: AsyncSession, login: str) -> Member:
    member = await people.member_by_login(session, login)
    if member is None or member.left_at is not None:
        raise NotFound("not-found", f"No member logs in as {login}: `jura people list` says who does.")
    return member


async def _list(settings: Settings) -> str:
    lines = []
    async with _acting(settings) as (session, now):
        for member in await people.members(session):
            held = [as_rule(row) for row in await mandates.mandates_of(session, member.id)]
            powers = [power for power in POWERS if power in powers_in_force(held, now)]
            logins = len(await accounts.logins_of(session, member.id, now))
            factor = "second factor" if member.totp_at else "password"
            lines.append(
                f"{member.login:<20} {member.name:<24} since {member.joined_at:%Y-%m-%d}  {logins} log-ins, {factor}; "
                f"may {', '.join(powers) or 'nothing special'}"
            )
    return "\n".join(lines) or "Nobody has joined yet."


async def _recover(settings: Settings, login: str) -> str:
    token = new_token()
    async with _acting(settings) as (session, now):
        member = await _member(session, login)
        await recovering.make_operators_link(session, member, token_digest(token), now)
    return f"{settings.url}/recover/{token}\nIt works once, for 24 hours, and turns a second factor off. {member.name} is told."


async def _end_sessions(settings: Settings, login: str | None) -> str:
    async with _acting(settings) as (session, now):
        chosen = await people.members(session) if login is None else [await _member(session, login)]
        for member in chosen:
            await accounts.end_others(session, member.id, None)
        log(session, "log-ins ended", now, by="operator", members=len(chosen))
    return f"{'Everybody is' if login is None else f'{login} is'} logged out everywhere."
