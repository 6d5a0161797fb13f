"""`jura post`: say something as the collective from the command line, under the mandate of a member who may speak."""

import argparse
import asyncio
from pathlib import Path

import orjson
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from models import people
from models.base import open_database
from models.migrations import check
from models.posts import Post
from models.rules.refusals import Invalid, Refusal
from server import pictures
from server.actions import images, speaking
from server.actions.people import viewer_for
from server.app import create_app
from server.keys import CLOCK, DATABASE, HOME
from server.mentions import mentioned_in
from server.pictures import NoPicture, Picture
from server.settings import Settings, SettingsError, read_settings
from server.translate_posts import Words
from server.viewer import Viewer, no_mandate
from server.web.words import LANGUAGES


def flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", help="what to say; a blank line begins a new paragraph, #words become tags")
    parser.add_argument("--image", metavar="FILE", help="a PNG, JPEG or WebP picture (needs --alt)")
    parser.add_argument("--alt", default="", help="what can be seen in the picture")
    parser.add_argument(
        "--reply-to", metavar="URI", help="address of a public post, here or kept from outside"
    )
    parser.add_argument("--language", default="en", help="language of the text, such as en (default) or de")
    parser.add_argument(
        "--as", dest="login", metavar="LOGIN", help="the member under whose mandate it is said"
    )
    parser.epilog = "It goes out by `jura serve` or `jura work`. The mandate is that of the only member who may speak, or of --as."


def run(args: argparse.Namespace) -> int:
    picture = _picture(args.image, args.alt) if args.image else None
    if args.alt and not args.image:
        raise SettingsError("--alt describes a picture: say which with --image.")
    try:
        print(asyncio.run(_post(read_settings(), args, picture)))
    except Invalid as refusal:
        raise Refusal("invalid", " ".join(refusal.fields.values())) from refusal
    return 0


def _picture(path: str, alt: str) -> Picture:
    """The picture of a file, written anew; one clear line if it cannot be had."""
    if not alt.strip():
        raise SettingsError("A picture needs --alt: say what can be seen, for those who do not see it.")
    try:
        return pictures.mend(Path(path).read_bytes())
    except OSError as error:
        raise SettingsError(f"The file {path} cannot be read ({error.strerror}).") from error
    except NoPicture as problem:
        raise SettingsError(f"{path}: {problem}") from problem


async def _post(settings: Settings, args: argparse.Namespace, picture: Picture | None) -> str:
    """Publish it; returns the address of its page. The application serves nobody: it only asks who is named."""
    await _check(settings)
    speaking.check_words(args.text, args.language, list(LANGUAGES))
    runner = web.AppRunner(create_app(settings, workers=False))
    await runner.setup()
    try:
        app = runner.app
        words = Words(args.text, args.language, await mentioned_in(app, args.text))
        async with app[DATABASE].ACT.begin() as session:
            row = await _say(session, app, args, words, picture)
        return str(orjson.loads(row.body)["url"])
    finally:
        await runner.cleanup()


async def _say(
    session: AsyncSession,
    app: web.Application,
    args: argparse.Namespace,
    words: Words,
    picture: Picture | None,
) -> Post:
    now = app[CLOCK].now()
    viewer = await _speaker(session, app, args.login)
    shown = [(await images.keep(session, viewer, picture, args.alt, now)).name] if picture else []
    return await speaking.speak(
        session, app[HOME], viewer, words, now, pictures=shown, reply_to=args.reply_to
    )


async def _check(settings: Settings) -> None:
    """The database is there and of this version; a wrong one is said in one line."""
    database = open_database(settings.database)
    try:
        await check(database.engine)
    finally:
        await database.close()


async def _speaker(session: AsyncSession, app: web.Application, login: str | None) -> Viewer:
    """The member who speaks: the one named, or the only one who may."""
    now = app[CLOCK].now()
    found = [await viewer_for(session, member, now) for member in await people.members(session)]
    able = [
        viewer for viewer in found if viewer.may("speak") and login in (None, viewer.require_member().login)
    ]
    if not able:
        raise no_mandate("speak")
    if len(able) > 1:
        names = ", ".join(viewer.require_member().login for viewer in able)
        raise SettingsError(f"Several members may speak: say --as one of {names}.")
    return able[0]
