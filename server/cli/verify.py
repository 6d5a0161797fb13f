"""`jura verify FILE`: recount a decision from its bundle, offline. Every proof and every text is checked, every count made anew.

The bundle is what a decision's page offers for download (`/decisions/<name>.json`). Nothing that the bundle claims about itself is
believed; it is compared.
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from activitypub.errors import WireError
from models.ledger import Signed
from models.rules.merkle import set_root
from models.rules.records import BadRecord, text_digest
from models.rules.refusals import NotFound
from models.rules.standing import Standing, standing
from server.actions.hearing import verified
from server.settings import SettingsError


def flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="a decision's bundle; - for standard input")
    parser.add_argument(
        "--at", help="recount as of this instant (ISO 8601, UTC); default: the instant of the bundle"
    )
    parser.epilog = "Exit code 0: every proof holds and the claims equal the recount; 1: they do not."


def run(args: argparse.Namespace) -> int:
    bundle = _read(args.file)
    signed, broken = _check_records(bundle.get("records"))
    broken += _check_texts(bundle.get("texts"), signed)
    mine = [s.record for s in signed]
    try:
        view = standing(mine, _instant(args.at or bundle.get("at")))
    except NotFound as error:
        raise SettingsError("This bundle holds no offer, so there is no decision in it.") from error
    _tell(view, set_root(record.digest for record in mine), len(mine))
    said = bundle.get("standing")
    claimed: dict[str, Any] = said if isinstance(said, dict) else {}
    different = [
        name for name, value in _comparable(view, mine).items() if name in claimed and claimed[name] != value
    ]
    for name in different:
        print(f"DIFFERS: the bundle claims {name} {claimed[name]!r}")
    for line in broken:
        print(f"BROKEN: {line}")
    print(
        "Recounted: all proofs hold, nothing differs."
        if not (different or broken)
        else "This bundle does not hold."
    )
    return 1 if different or broken else 0


def _read(name: str) -> dict[str, Any]:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        bundle = json.loads(data)
    except OSError as error:
        raise SettingsError(f"{name} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{name} is no bundle: it is not JSON.") from error
    if not isinstance(bundle, dict):
        raise SettingsError(f"{name} is no bundle: it holds no object.")
    return bundle


def _check_records(documents: object) -> tuple[list[Signed], list[str]]:
    """The records whose proofs hold, and a line for each whose does not."""
    if not isinstance(documents, list):
        raise SettingsError("This is no bundle: it has no list of records.")
    good: dict[str, Signed] = {}
    broken = []
    for number, document in enumerate(documents, start=1):
        try:
            (signed,) = verified([document])
            good[signed.record.digest] = signed
        except (BadRecord, WireError, TypeError, ValueError) as error:
            broken.append(f"record {number}: {getattr(error, 'sentence', error)}")
    return list(good.values()), broken


def _check_texts(texts: object, signed: list[Signed]) -> list[str]:
    """A line for each text that is not what its digest says, or that no record names."""
    named = {digest for one in signed for digest in one.record.texts()}
    broken = []
    for digest, text in (texts if isinstance(texts, dict) else {}).items():
        try:
            genuine = text_digest(bytes.fromhex(text["salt"]), text["text"]) == digest
        except (BadRecord, KeyError, TypeError, ValueError):
            genuine = False
        if not genuine:
            broken.append(f"text {digest[:12]} is not what its digest says")
        elif digest not in named:
            broken.append(f"text {digest[:12]} belongs to no record")
    return broken


def _instant(text: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise SettingsError(f"Say an instant such as 2026-11-22T10:00:00Z; {text!r} is none.") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _comparable(view: Standing, mine: list[Any]) -> dict[str, object]:
    """What a bundle claims and a recount gives."""
    return {
        "state": view.state,
        "outcome": view.outcome,
        "winner": view.winner,
        "numbers": dict(view.numbers),
        "countRoot": view.count_root,
        "lateRoot": view.late_root,
        "setRoot": set_root(record.digest for record in mine),
    }


def _tell(view: Standing, root: str, many: int) -> None:
    print(f"decision  {view.offer.digest}")
    print(f"records   {many}, set root {root}")
    print(f"state     {view.state} as of {view.now:%Y-%m-%d %H:%M:%S} UTC")
    print(f"outcome   {view.outcome or '(none yet)'}{f', {view.winner}' if view.winner else ''}")
    for name, number in sorted(view.numbers.items()):
        print(f"          {name} {number}")
    print(f"countRoot {view.count_root or '(none yet)'}")
    agree = sum(one.agrees for one in view.keepers)
    print(f"keepers   {agree} of {len(view.keepers)} agree")
    for entry in view.entries:
        print(f"circle    {entry.circle[:16]}… {entry.status}")
