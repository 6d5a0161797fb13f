"""`jura …` and `python -m server …`: the table of commands, and one place where a wrong start becomes one clear line."""

import argparse
import gc
import importlib
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import NamedTuple

from activitypub.errors import WireError
from models.problems import DatabaseProblem
from models.rules.refusals import Refusal
from server.settings import SettingsError

Parser = argparse.ArgumentParser
Flags = Callable[[Parser], None]
Run = Callable[[argparse.Namespace], int]


class Command(NamedTuple):
    """What a command does; in which module of `server.cli`; its function that describes its flags, and the one that runs it."""

    what: str
    module: str
    flags: str = "flags"
    run: str = "run"


COMMANDS: dict[str, Command] = {
    "init": Command(
        "found this instance: its collective, its keys, a link for the founder",
        "founding",
        "init_flags",
        "init",
    ),
    "invite": Command(
        "make a new founder link while nobody has joined", "founding", "invite_flags", "invite"
    ),
    "run": Command("found and serve one instance on this machine, in ./data", "running"),
    "serve": Command("answer requests and do the work that is due", "serving", "serve_flags", "serve"),
    "work": Command(
        "only do the work that is due (PostgreSQL: any number of these)", "serving", "work_flags", "work"
    ),
    "migrate": Command(
        "prepare the database for this version", "serving", "migrate_flags", "migrate_command"
    ),
    "feeds": Command("list, make, fill and end the federation feeds of this instance", "feeds"),
    "post": Command("say something as the collective", "posting"),
    "peers": Command("with which servers this instance deals: list, block, limit, allow, forget", "peers"),
    "people": Command(
        "see who there is, log people out, help the last one who may admit to log in", "people"
    ),
    "charter": Command("say what the collective asks at least of its decisions, and since when", "charter"),
    "doctor": Command("look whether everything is as it should be", "doctor"),
    "keys": Command("make new keys for signing requests, and tell who knows the old ones", "keys"),
    "verify": Command("recount a decision from its bundle, offline", "verify"),
    "demo": Command("three collectives on this machine reach a joint decision", "demo"),
}
"""Only the module of the command that was asked for is loaded: `--help` needs none."""


def functions(name: str) -> tuple[Flags, Run]:
    """How a command describes its flags, and how it runs."""
    command = COMMANDS[name]
    loaded = _load(f"server.cli.{command.module}")
    return getattr(loaded, command.flags), getattr(loaded, command.run)


def _load(name: str) -> ModuleType:
    """The module. Loading makes hundreds of thousands of objects that stay: the collector looks for no garbage among them, then or
    later. It would take a tenth of the start, and 70 ms out of a server's life each time."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        gc.enable()


def parser(asked: str | None) -> Parser:
    """The parser of all commands, with the flags of the one that is asked for; `--help` of each says its settings."""
    top = argparse.ArgumentParser(prog="jura", description="Groups decide together across servers.")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        what = command.what
        described = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
        if name == asked:
            functions(name)[0](described)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    words = sys.argv[1:] if arguments is None else arguments
    asked = next((word for word in words if word in COMMANDS), None)
    args = parser(asked).parse_args(words)
    _, run = functions(args.command)
    try:
        return run(args)
    except (SettingsError, DatabaseProblem) as error:
        print(f"jura: {error}", file=sys.stderr)
        return 2
    except (Refusal, WireError) as error:
        print(f"jura: {error.sentence}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
