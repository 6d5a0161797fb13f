"""`jura feeds`: the same acts as on the pages, in the name of a member who may."""

from pathlib import Path

import pytest

from models.rules.refusals import NotAllowed, NotFound
from server.__main__ import main, parser
from server.cli.feeds import act
from server.settings import make_secret
from tests.federation.harness import Federation
from tests.federation.meetings import Meetings
from tests.federation.stock import Stock


@pytest.fixture
def meetings(stock: Stock, tmp_path: Path) -> Meetings:
    return Meetings(stock, tmp_path)


async def says(fed: Federation, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    await act(fed.app_of("oak"), parser("feeds").parse_args(["feeds", *words]))
    return capsys.readouterr().out


async def test_a_feed_is_made_filled_listed_and_ended(
    meetings: Meetings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with meetings.founded(oak=2, elm=1) as fed:
        assert await says(fed, capsys, "list") == "There is no feed here yet.\n"
        made = await says(fed, capsys, "make", "valley", "The Valley", "--as", "ana")
        assert made == "It can be followed as @valley@oak.test.\n"
        added = await says(fed, capsys, "add", "valley", "@elm@elm.test", "--as", "ana")
        assert added == "@elm@elm.test is added, and is asked as soon as the server runs.\n"
        await fed.settle()
        assert (await says(fed, capsys, "list")).splitlines() == [
            "@valley@oak.test  The Valley  (0 followers)",
            "    http://oak.test/c/oak  our own",
            "    http://elm.test/c/elm  accepted",
        ]
        with pytest.raises(NotAllowed):
            await says(fed, capsys, "end", "valley", "--as", "bo")
        with pytest.raises(NotFound, match="Nobody here logs in"):
            await says(fed, capsys, "end", "valley", "--as", "nobody")
        await says(fed, capsys, "remove", "valley", "@elm@elm.test", "--as", "ana")
        assert "elm" not in await says(fed, capsys, "list")
        assert await says(fed, capsys, "end", "valley", "--as", "ana") == "@valley@oak.test has ended.\n"
        assert await says(fed, capsys, "list") == "There is no feed here yet.\n"


def test_a_wrong_start_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JURA_URL", "https://north.example")
    monkeypatch.setenv("JURA_DATA", str(tmp_path))
    make_secret(tmp_path)
    assert main(["feeds", "list"]) == 2
    assert "jura migrate" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["feeds", "add", "--help"])
    assert "mandate" in capsys.readouterr().out
