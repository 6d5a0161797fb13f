"""`jura feeds`: what federation feeds there are; make, fill and end them from the command line.

Whoever runs the machine holds no power by that: each change names the member under whose mandate it is done.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from models import feeds as rows
from models import follows, people
from models.migrations import check
from models.rules.refusals import NotFound
from server.actions import feeds
from server.actions.founding import make_key_pair
from server.actions.people import viewer_for
from server.app import create_app
from server.cli import counted
from server.keys import CLOCK, DATABASE, HOME
from server.remote import find
from server.settings import read_settings
from server.viewer import Viewer

Act = Callable[[AsyncSession, Viewer], Awaitable[object]]


def flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `jura feeds` and of what it can do."""
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    acts.add_parser("list", help="say which feeds there are, and how it stands with their collectives")
    described = {
        "make": ("make a feed of this collective", ("handle", "name")),
        "add": ("pass on a collective too", ("handle", "address")),
        "remove": ("leave a collective out", ("handle", "address")),
        "end": ("end a feed for good", ("handle",)),
    }
    said = {
        "handle": "short name of the feed: small letters, digits, underscores",
        "name": "what the feed is called",
        "address": "of the collective: @name@host, or the address of its page or actor",
    }
    for name, (what, arguments) in described.items():
        act = acts.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
        for argument in arguments:
            act.add_argument(argument, help=said[argument])
        act.add_argument(
            "--as",
            dest="login",
            required=True,
            metavar="LOGIN",
            help="the member under whose mandate it is done; it has to hold “speak”",
        )


def run(args: argparse.Namespace) -> int:
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    app = create_app(read_settings(), workers=False)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await check(app[DATABASE].engine)
        await act(app, args)
    finally:
        await runner.cleanup()
    return 0


async def act(app: web.Application, args: argparse.Namespace) -> None:
    """Do what was asked for, and say so; a refusal says why not."""
    if args.act == "list":
        await _list(app)
    else:
        await {"make": _make, "add": _add, "remove": _remove, "end": _end}[args.act](app, args)


async def _list(app: web.Application) -> None:
    async with app[DATABASE].READ() as session:
        found = await rows.feeds(session)
        for feed in found:
            count = await follows.follower_count(session, feed.actor_id)
            print(f"{feed.actor.address}  {feed.actor.name}  ({counted(count, 'follower', 'followers')})")
            asked = {row.followed: row.state for row in await rows.followings(session, feed.actor_id)}
            for source in await rows.sources(session, feed.id):
                print(f"    {source.actor_uri}  {asked.get(source.actor_uri, 'our own')}")
    if not found:
        print("There is no feed here yet.")


async def _make(app: web.Application, args: argparse.Namespace) -> None:
    keys = await asyncio.to_thread(make_key_pair)
    handle, now = args.handle.removeprefix("@").lower(), app[CLOCK].now()
    await _do(app, args, lambda s, v: feeds.make(s, app[HOME], v, handle, args.name.strip(), keys, now))
    print(f"It can be followed as @{handle}@{app[HOME].authority}.")


async def _add(app: web.Application, args: argparse.Namespace) -> None:
    source, now = await find(app, args.address), app[CLOCK].now()
    await _do(app, args, lambda s, v: feeds.add(s, app[HOME], v, args.handle, source, now))
    print(
        f"{source.address} is added"
        + ("." if source.is_local else ", and is asked as soon as the server runs.")
    )


async def _remove(app: web.Application, args: argparse.Namespace) -> None:
    source, now = await find(app, args.address), app[CLOCK].now()
    await _do(app, args, lambda s, v: feeds.remove(s, app[HOME], v, args.handle, source.uri, now))
    print(f"{source.address} is left out.")


async def _end(app: web.Application, args: argparse.Namespace) -> None:
    await _do(app, args, lambda s, v: feeds.end(s, app[HOME], v, args.handle, app[CLOCK].now()))
    print(f"@{args.handle}@{app[HOME].authority} has ended.")


async def _do(app: web.Application, args: argparse.Namespace, act_of: Act) -> None:
    """One transaction in the name of the member who was named."""
    async with app[DATABASE].ACT.begin() as session:
        member = await people.member_by_login(session, args.login)
        if member is None or member.left_at is not None:
            raise NotFound("member", f"Nobody here logs in as “{args.login}”.")
        await act_of(session, await viewer_for(session, member, app[CLOCK].now()))
