"""`jura …` and `python -m server …`: the table of commands, and one place where a wrong start becomes one clear line."""

import argparse
import sys
from collections.abc import Callable, Sequence

from activitypub.errors import WireError
from models.migrations import DatabaseProblem
from models.rules.refusals import Refusal
from server.cli import demo, doctor, founding, serving, verify
from server.settings import SettingsError

Parser = argparse.ArgumentParser
Command = tuple[str, Callable[[Parser], None], Callable[[argparse.Namespace], int]]

COMMANDS: dict[str, Command] = {
    "init": (
        "found this instance: its collective, its keys, a link for the founder",
        founding.init_flags,
        founding.init,
    ),
    "invite": ("make a new founder link while nobody has joined", founding.invite_flags, founding.invite),
    "run": ("prepare and serve one instance on this machine, in ./data", serving.run_flags, serving.run),
    "serve": ("answer requests and do the work that is due", serving.serve_flags, serving.serve),
    "work": (
        "only do the work that is due (PostgreSQL: any number of these)",
        serving.work_flags,
        serving.work,
    ),
    "migrate": ("prepare the database for this version", serving.migrate_flags, serving.migrate_command),
    "doctor": ("look whether everything is as it should be", doctor.flags, doctor.run),
    "verify": ("recount a decision from its bundle, offline", verify.flags, verify.run),
    "demo": ("three collectives on this machine reach a joint decision", demo.flags, demo.run),
}


def parser() -> Parser:
    """The parser with all commands; `--help` of each says its settings."""
    top = argparse.ArgumentParser(prog="jura", description="Groups decide together across servers.")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (what, flags, _) in COMMANDS.items():
        flags(commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + "."))
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    try:
        return COMMANDS[args.command][2](args)
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
