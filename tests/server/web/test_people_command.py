"""`jura people`: what an operator can do with accounts, and where the members' own powers come first."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from server.__main__ import main
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.server.web.conftest import Enter


def at(fed: Federation, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Commands work on this instance, at its instant."""
    settings = fed.instances["oak"].settings
    clock = folder / "clock"
    clock.write_text(fed.clock.now().isoformat())
    for name, value in {
        "URL": settings.url,
        "DATABASE": settings.database,
        "SECRET": settings.secret,
        "DEVELOPMENT": "1",
        "CLOCK": str(clock),
    }.items():
        monkeypatch.setenv(f"JURA_{name}", value)


async def jura(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = await asyncio.to_thread(main, ["people", *words])
    out, err = capsys.readouterr()
    return code, out, err


async def test_an_operator_sees_who_there_is_ends_log_ins_and_helps_only_where_no_member_can(
    meetings: Meetings,
    enter: Enter,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    async with meetings.founded(oak=2) as fed:
        at(fed, monkeypatch, tmp_path)
        ana, bo = await enter(fed, "oak", "ana"), await enter(fed, "oak", "bo")
        _, out, _ = await jura(capsys, "list")
        lines = out.splitlines()
        assert [line.split()[:2] for line in lines] == [["ana", "Ana"], ["bo", "Bo"]]
        assert "admit" in lines[0]
        assert "1 log-ins, password; may nothing special" in lines[1]
        code, out, err = await jura(capsys, "recover", "bo")
        assert (code, out) == (1, "")
        assert "Ana may admit people" in err
        assert (await jura(capsys, "recover", "zoe"))[0] == 1
        code, out, _ = await jura(capsys, "recover", "ana")
        link = out.split()[0].removeprefix("http://oak.test")
        assert (await (await enter(fed, "oak")).get(link)).heading == "Choose a new password"
        assert "Whoever runs this machine made it" in (await ana.get("/me")).text
        assert (await jura(capsys, "end-sessions", "bo"))[0] == 0
        assert (await bo.get("/me")).path.startswith("/login")
        assert (await ana.get("/me")).path == "/me"
        assert (await jura(capsys, "end-sessions", "--all"))[0] == 0
        assert (await ana.get("/me")).path.startswith("/login")
        fed.clock.advance(timedelta(days=30))
        at(fed, monkeypatch, tmp_path)
        assert (await jura(capsys, "recover", "bo"))[0] == 0, "all mandates have lapsed"
