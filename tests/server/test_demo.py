"""`jura demo`, as somebody who has just cloned the repository starts it."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.federation.harness import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ports() -> Iterator[int]:
    """The first of three ports in a row that are free."""
    for _ in range(50):
        first = free_port()
        try:
            for port in (first, first + 1, first + 2):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        yield first
        return
    pytest.fail("there are no three free ports in a row")


def heeding_ctrl_c() -> None:
    """What a shell begins in its background is told to ignore Ctrl-C, and so is what that begins."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "server", "demo", *arguments]


def environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("JURA_")}
    return kept | {"PYTHONPATH": str(ROOT)}


def headless(port: int, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command("--headless", "--port", str(port)),
        env=environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_headless_demo_ends_with_three_equal_roots_and_does_so_again(ports: int, tmp_path: Path) -> None:
    for _ in ("once", "and again"):
        done = headless(ports, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        held = re.findall(
            r"^(oak|elm|ash) +final adopted countRoot ([0-9a-f]{64})$", done.stdout, re.MULTILINE
        )
        assert [name for name, _ in held] == ["oak", "elm", "ash"]
        assert len({root for _, root in held}) == 1
        assert done.stdout.endswith("All instances hold the same root.\n")
    assert list(tmp_path.iterdir()) == []  # it leaves nothing behind


def test_a_taken_port_is_said_in_one_line(ports: int, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports))
        taken.listen()
        done = headless(ports, tmp_path)
    assert done.returncode == 2
    assert re.fullmatch(rf"jura: Port {ports} is taken: .*--port {ports + 100}`\.\n", done.stderr)


async def test_the_live_demo_serves_three_pages_moves_its_clock_and_stops(ports: int, tmp_path: Path) -> None:
    demo = await asyncio.create_subprocess_exec(
        *command("--port", str(ports)),
        env=environment(),
        cwd=tmp_path,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=heeding_ctrl_c,
    )
    try:
        assert demo.stdin is not None
        assert demo.stdout is not None
        told = await asyncio.wait_for(demo.stdout.readuntil(b"Ctrl-C stops everything."), 120)
        for name, offset in (("oak", 0), ("elm", 1), ("ash", 2)):
            assert f"http://{name}.localhost:{ports + offset}".encode() in told
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{ports + offset}/") as answer,
            ):
                assert answer.status == 200
                assert "cargo bike" in await answer.text()
        demo.stdin.write(b"\n")
        await asyncio.wait_for(demo.stdout.readuntil(b"UTC on all three."), 30)
        demo.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(demo.communicate(), 60)
        assert (demo.returncode, err) == (0, b"")
    finally:
        if demo.returncode is None:
            demo.kill()
            await demo.wait()
