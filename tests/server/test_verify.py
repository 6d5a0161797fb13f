"""`jura verify`: a bundle is recounted offline, and a tampered one is found out."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from models import ledger
from models.rules.merkle import set_root
from models.rules.records import stamp
from server.__main__ import main
from server.actions.convening import Plan
from server.web.bundles import summary

from .actions.conftest import Place
from .actions.conftest import place as place
from .actions.test_deciding import PLAN, Words, confirm, draft

Bundle = dict[str, Any]


async def bundle_of(place: Place) -> Bundle:
    await place.join("ana")
    name = await place.convene("ana", Plan(**{**PLAN.__dict__, "challenge": timedelta()}))
    await place.work(name)
    words = Words({"position": "concern"}, "Only if we descale it every month.")
    await confirm(place, "ana", name, await draft(place, "ana", name, words))
    place.later(hours=1, seconds=1)
    await place.work(name)
    place.later(minutes=2)
    view = await place.work(name)
    async with place.database.READ() as session:
        scope = await place.scope(session, name)
        return {
            "at": stamp(place.now),
            "records": await ledger.documents(session, scope.id, place.now),
            "texts": ledger.as_carried(await ledger.texts(session, scope.id)),
            "standing": summary(
                view, set_root(r.digest for r in await ledger.records(session, scope.id, place.now))
            ),
        }


def verify(bundle: Bundle, tmp_path: Path, *more: str) -> int:
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(bundle))
    return main(["verify", str(file), *more])


async def test_a_bundle_is_recounted_and_holds(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    bundle = await bundle_of(place)
    assert verify(bundle, tmp_path) == 0
    told = capsys.readouterr().out
    assert f"countRoot {bundle['standing']['countRoot']}" in told
    assert "final" in told


def reason_changed(bundle: Bundle) -> None:
    next(t for t in bundle["texts"].values() if "descale" in t["text"])["text"] = (
        "We are all for it, all of us."
    )


def position_changed(bundle: Bundle) -> None:
    next(r for r in bundle["records"] if r["type"] == "Ballot")["position"] = "consent"


def outcome_claimed(bundle: Bundle) -> None:
    bundle["standing"]["outcome"] = "rejected"


def ballot_left_out(bundle: Bundle) -> None:
    bundle["records"] = [r for r in bundle["records"] if r["type"] != "Ballot"]


@pytest.mark.parametrize("tamper", [reason_changed, position_changed, outcome_claimed, ballot_left_out])
async def test_a_tampered_bundle_is_found_out(place: Place, tmp_path: Path, tamper: Callable[[Bundle], None]):
    bundle = await bundle_of(place)
    tamper(bundle)
    assert verify(bundle, tmp_path) == 1


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"records": []}', '{"records": 7}'])
def test_what_is_no_bundle_is_said_in_one_line(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "other.json"
    file.write_text(text)
    assert main(["verify", str(file)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert main(["verify", str(tmp_path / "none.json")]) == 2
