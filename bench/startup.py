"""How long `jura serve` takes until it answers, how much memory it then holds, and how long `jura --help` takes.

Real processes on the measured core, on SQLite, workers running. The limit of both is a Python that imports aiohttp,
SQLAlchemy's asyncio part and cryptography and does nothing with them. Modules are compiled already, as they are from the
second start of an installation on; the first one is made and not counted.
"""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from bench import place
from bench.cores import MEASURED, ROOT, pin
from bench.figures import Figure

BARE = "import aiohttp.web, aiosqlite, sqlalchemy.ext.asyncio, cryptography.hazmat.primitives.asymmetric.rsa"
TELL_MEMORY = "; import time; print('ready', flush=True); time.sleep(30)"
PATIENCE = 30.0
SETTLING = 2.0  # seconds after the first answer
STARTS_WITHIN, HELPS_WITHIN, HOLDS_AT_MOST = 1.5, 0.5, 110.0


def measure(rounds: int) -> list[Figure]:
    started, memory, helped, bare, bare_memory = [], [], [], [], []
    with place.folder() as where:
        settings = place.settings_in(where)
        place.found(settings)
        env = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPYCACHEPREFIX": str(where / "compiled"),
            "JURA_URL": settings.url,
            "JURA_DATA": str(where),
            "JURA_DEVELOPMENT": "1",
            "JURA_LISTEN": f"127.0.0.1:{settings.listen_port}",
        }
        _serve(env, settings.listen_port)  # compiles
        for _ in range(rounds):
            bare.append(_seconds([sys.executable, "-c", BARE], env))
            helped.append(_seconds([sys.executable, "-m", "server", "--help"], env))
            seconds, megabytes = _serve(env, settings.listen_port)
            started.append(seconds)
            memory.append(megabytes)
            bare_memory.append(_bare_memory(env))
    imports = "importing aiohttp, SQLAlchemy and cryptography"
    return [
        _figure("start-up until it answers", "s", started, min(bare), imports, STARTS_WITHIN),
        _figure("jura --help", "s", helped, min(bare), imports, HELPS_WITHIN),
        _figure("memory when idle", "MB", memory, min(bare_memory), imports, HOLDS_AT_MOST),
    ]


def _figure(name: str, unit: str, rounds: list[float], limit: float, limit_is: str, most: float) -> Figure:
    best = min(rounds)
    return Figure(name, best, unit, limit, limit_is, f"< {most:g} {unit}", best < most, tuple(rounds))


def _start(command: list[str], env: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=_pinned(),
    )


def _pinned() -> Callable[[], None]:
    return lambda: pin(MEASURED)


def _seconds(command: list[str], env: Mapping[str, str]) -> float:
    began = time.monotonic()
    with _start(command, env) as process:
        process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return time.monotonic() - began


def _serve(env: Mapping[str, str], port: int) -> tuple[float, float]:
    """Seconds until the first answer, and megabytes a little later."""
    began = time.monotonic()
    with _start([sys.executable, "-m", "server", "serve"], env) as process:
        try:
            while not _answers(port):
                if process.poll() is not None or time.monotonic() - began > PATIENCE:
                    raise RuntimeError("it does not start")
                time.sleep(0.005)
            seconds = time.monotonic() - began
            time.sleep(SETTLING)
            return seconds, megabytes(process.pid)
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/c/oak", headers={"Accept": "application/activity+json"})
        return connection.getresponse().status == 200
    return False


def _bare_memory(env: Mapping[str, str]) -> float:
    with _start([sys.executable, "-c", BARE + TELL_MEMORY], env) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            return megabytes(process.pid)
        finally:
            process.terminate()


def megabytes(pid: int) -> float:
    """Resident memory of a process (Linux; elsewhere not a number)."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return float("nan")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
