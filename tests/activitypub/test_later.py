"""Modules that are loaded at their first use: not before, once, and without anybody having to know."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from activitypub.later import later


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that nobody has loaded, which counts how often it is."""
    name = "loaded_later_by_a_test"
    (tmp_path / f"{name}.py").write_text(
        "import sys\nsys.loads = getattr(sys, 'loads', 0) + 1\nWORD = 'here'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "loads", 0, raising=False)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def loads() -> int:
    return int(getattr(sys, "loads", 0))


def test_a_module_is_loaded_when_something_of_it_is_used_and_not_before(module: str) -> None:
    stand_in = later(module)
    assert (loads(), module in repr(stand_in)) == (0, True)
    assert stand_in.WORD == "here"
    assert (stand_in.WORD, loads()) == ("here", 1)


def test_what_the_module_does_not_have_is_not_there(module: str) -> None:
    with pytest.raises(AttributeError, match="NOTHING"):
        later(module).NOTHING  # noqa: B018


def test_two_threads_that_use_it_first_load_it_once(module: str) -> None:
    stand_in, barrier, found = later(module), threading.Barrier(4), list[str]()

    def use() -> None:
        barrier.wait()
        found.append(stand_in.WORD)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, loads()) == (["here"] * 4, 1)


WAIT = {
    "OpenSSL",
    "PIL",
    "aiosmtplib",
    "alembic",
    "bovine",
    "bs4",
    "nh3",
    "pydantic",
    "pyld",
    "pyotp",
    "segno",
    "webauthn",
}


def test_an_instance_that_starts_loads_nothing_that_it_does_not_need_yet() -> None:
    script = "import sys, server.cli.serving; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert WAIT & set(answer.stdout.split()) == set()
