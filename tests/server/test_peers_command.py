"""`jura peers` on a real database: list, block, limit, allow, forget; each says what it did."""

import asyncio
from pathlib import Path

import pytest

from server.__main__ import main
from server.cli.founding import found_instance
from server.settings import make_secret, read_settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A founded instance that the environment names."""
    monkeypatch.setenv("JURA_URL", "https://oak.example")
    monkeypatch.setenv("JURA_DATA", str(tmp_path))
    make_secret(tmp_path)
    asyncio.run(found_instance(read_settings(), "oak", "Oak", ""))
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["peers", *words])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_a_server_is_blocked_limited_listed_and_forgotten(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, "list") == (0, "0 servers.\n")
    assert told(capsys, "block", "Bad.example", "--note", "Spam.") == (0, "bad.example is blocked.\n")
    assert told(capsys, "list") == (0, "bad.example: blocked, note: Spam.\n1 server.\n")
    assert told(capsys, "limit", "bad.example", "--note", "Loud.") == (0, "bad.example is limited.\n")
    assert told(capsys, "allow", "bad.example", "--note", "Ours.") == (0, "bad.example is on the list.\n")
    assert told(capsys, "list", "--show", "blocked") == (0, "0 servers.\n")
    assert told(capsys, "forget", "bad.example") == (0, "bad.example is a server like any other.\n")
    assert told(capsys, "list", "--search", "bad") == (0, "bad.example: nothing yet\n1 server.\n")


def test_what_is_no_server_or_our_own_is_refused_in_one_line(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, "block", "nothing", "--note", "x") == (
        1,
        "jura: Say the name of a server, such as social.example.\n",
    )
    assert told(capsys, "block", "oak.example", "--note", "x") == (1, "jura: This is our own server.\n")


@pytest.mark.parametrize("words", [["--help"], ["block", "--help"], ["list", "--help"]])
def test_help_says_what_it_does_without_an_instance(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["peers", *words])
    assert ended.value.code == 0
    assert "usage: jura peers" in capsys.readouterr().out


def test_a_block_without_a_reason_is_not_made(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["peers", "block", "bad.example"])
    assert ended.value.code == 2
    assert "--note" in capsys.readouterr().err
