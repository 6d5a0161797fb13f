"""`jura demo`: three collectives on this machine reach a joint decision. Nothing in it is made up: three instances, three
databases, real HTTP between them. The people are played by calling the same actions as the pages do."""

import argparse
import asyncio
import contextlib
import os
import shutil
import socket
import sys
from datetime import timedelta
from pathlib import Path

from server.cli.cast import COLLECTIVES, DEMO_PASSWORD, Play
from server.cli.stage import Stage
from server.clock import MovableClock
from server.settings import SettingsError

FOLDER = Path(".demo")
PORTS = 8101
STEP_HOURS = 12
STRIDE_HOURS = 3


def flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--headless", action="store_true", help="play it to the end in seconds and print the minutes"
    )
    parser.add_argument("--port", type=int, default=PORTS, help=f"first of three ports (default {PORTS})")


def run(args: argparse.Namespace) -> int:
    if not 1 <= args.port <= 65533:
        raise SettingsError("--port must lie between 1 and 65533.")
    if args.headless:
        return asyncio.run(_headless(args.port))
    try:
        return asyncio.run(_live(args.port))
    except KeyboardInterrupt:
        print("\nAll three are stopped.")
        return 0


async def _open(stage: Stage, first_port: int) -> None:
    """Found and start all three; a taken port is said in one line."""
    for offset, (name, collective) in enumerate(COLLECTIVES.items()):
        port = first_port + offset
        try:
            await stage.start(name, port, collective.title, collective.summary)
        except OSError as error:
            raise _taken(port) from error


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise _taken(port) from error


def _taken(port: int) -> SettingsError:
    return SettingsError(
        f"Port {port} is taken: stop what uses it, or choose others with `jura demo --port {port + 100}`."
    )


async def _headless(first_port: int) -> int:
    """Play the whole story on a movable clock, print it as minutes, then every instance's countRoot on one line each."""
    clock = MovableClock()
    async with Stage(tuple(COLLECTIVES), clock) as stage:
        await _open(stage, first_port)
        play = Play(stage, say=print)
        await play.prologue()
        await play.vote(everybody=True)
        await play.to_the_end()
        roots = await play.roots()
        print()
        for name, (state, outcome, root) in roots.items():
            print(f"{name:4} {state} {outcome} countRoot {root}")
    agree = len({root for _, _, root in roots.values()}) == 1 and {s for s, _, _ in roots.values()} == {
        "final"
    }
    print("All instances hold the same root." if agree else "The instances differ.", flush=True)
    return 0 if agree else 1


async def _live(first_port: int) -> int:
    """Seed the story up to the last ballots, then leave the rest to whoever sits at the browser."""
    for offset in range(len(COLLECTIVES)):
        _check_port(first_port + offset)  # before the folder is emptied: it may be another demo's
    await asyncio.to_thread(shutil.rmtree, FOLDER, ignore_errors=True)
    clock = MovableClock()
    stage = Stage(tuple(COLLECTIVES), clock, folder=FOLDER)
    async with stage:
        clock.advance(timedelta(hours=-30))  # the story so far lies in the past
        await _open(stage, first_port)
        play = Play(stage, say=lambda line: None)
        await play.prologue()
        await play.vote(everybody=False)
        clock.advance(timedelta(hours=30) - play.elapsed)
        await stage.settle()
        await stage.work_by_itself()
        _tell(stage, play)
        await _listen_to_the_keyboard(stage)
    return 0


def _tell(stage: Stage, play: Play) -> None:
    """Where to look, who to be, what to try."""
    print("Three collectives are running on this machine:\n")
    for name, collective in COLLECTIVES.items():
        logins = ", ".join(collective.members)
        print(f"  {collective.title:28} {stage.instances[name].url}\n    log in as: {logins}")
    print(f"\nEverybody's password: {DEMO_PASSWORD}")
    print(f"The decision: “{play.question}”\n")
    print("Try this:")
    for number, step in enumerate(play.steps_left(), start=1):
        print(f"  {number}. {step}")
    print(
        f"\nPress Enter to move all three clocks on by {STEP_HOURS} hours. Ctrl-C stops everything.",
        flush=True,
    )


async def _listen_to_the_keyboard(stage: Stage) -> None:
    """Each Enter moves the clock; without a keyboard just wait. It moves in strides: in one leap the instances would say only when
    it is too late what they have to say within six hours of the close."""
    loop = asyncio.get_running_loop()
    pressed = asyncio.Semaphore(0)
    with contextlib.suppress(NotImplementedError, PermissionError, ValueError):
        loop.add_reader(sys.stdin.fileno(), _read_keys, loop, pressed)
    while True:
        await pressed.acquire()
        for _ in range(0, STEP_HOURS, STRIDE_HOURS):
            await stage.advance(timedelta(hours=STRIDE_HOURS))
        stage.nudge()
        print(f"It is now {stage.clock.now():%-d %B, %H:%M} UTC on all three.", flush=True)


def _read_keys(loop: asyncio.AbstractEventLoop, pressed: asyncio.Semaphore) -> None:
    """As often as Enter was pressed: several may be there at once, while the clocks still move."""
    typed = os.read(sys.stdin.fileno(), 1024)
    if not typed:  # the keyboard is gone
        loop.remove_reader(sys.stdin.fileno())
    for _ in range(typed.count(b"\n")):
        pressed.release()
