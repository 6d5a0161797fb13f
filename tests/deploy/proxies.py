"""The examples of `deploy/` as they are run: only names, ports and certificates are others. Called by the tests beside it."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.federation.processes import ROOT

EXAMPLES = ROOT / "deploy"
HOST = "north.example"  # whose instance the examples are for
CERTIFICATE = f"/etc/letsencrypt/live/{HOST}/"


@dataclass(frozen=True)
class Place:
    """What an example is adapted to. `inside` is the port of the instance."""

    folder: Path
    host: str
    inside: int
    https: int
    http: int
    certificate: Path  # key and chain in one file

    @property
    def log(self) -> Path:
        return self.folder / "requests.log"


@dataclass(frozen=True)
class Program:
    """A proxy as Debian brings it: how to look at a configuration, and how to run it in the foreground."""

    name: str
    package: str

    @property
    def path(self) -> str | None:
        """Where it is; nothing if it is not installed."""
        return shutil.which(self.name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")

    @property
    def missing(self) -> str:
        """Why a test of it is skipped."""
        return f"{self.name} is not installed (23 November 2026: optional); on Debian: {self.package}"

    def configure(self, place: Place) -> Path:
        """Write the example, adapted, and around it what the machine's own configuration would say."""
        place.folder.mkdir(exist_ok=True)
        return _nginx(place) if self.name == "nginx" else _caddy(place)

    def check(self, configuration: Path) -> list[str]:
        """The command that only looks at a configuration."""
        return self._command("-t" if self.name == "nginx" else "validate", configuration)

    def run(self, configuration: Path) -> list[str]:
        """The command that serves with it, in the foreground."""
        return self._command("" if self.name == "nginx" else "run", configuration)

    def _command(self, what: str, configuration: Path) -> list[str]:
        assert self.path
        if self.name == "nginx":
            how = ["-e", "stderr", "-p", str(configuration.parent), "-c", str(configuration)]
        else:
            how = ["--adapter", "caddyfile", "--config", str(configuration)]
        return [self.path, *([what] if what else []), *how]

    @contextlib.asynccontextmanager
    async def running(self, place: Place) -> AsyncIterator[None]:
        """It runs inside the block, and listens."""
        configuration, said = self.configure(place), place.folder / "said.log"
        with said.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *self.run(configuration),
                env={"PATH": os.defpath, "HOME": str(place.folder), "XDG_DATA_HOME": str(place.folder)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            async with asyncio.timeout(20):
                while not await _listens(place.https):
                    assert process.returncode is None, said.read_text()
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


NGINX = Program("nginx", "nginx-light")
CADDY = Program("caddy", "caddy")
PROGRAMS = (NGINX, CADDY)


def _nginx(place: Place) -> Path:
    """The example in the `http` block of a server in the foreground. The second address stands for those of IPv6."""
    text = _adapted("nginx.conf", place)
    for name in ("fullchain.pem", "privkey.pem"):
        text = text.replace(CERTIFICATE + name, str(place.certificate))
    for port, ours in ((443, place.https), (80, place.http)):
        text = text.replace(f"listen {port}", f"listen 127.0.0.1:{ours}")
        text = text.replace(f"listen [::]:{port}", f"listen 127.0.0.2:{ours}")
    temporary = "".join(
        f"{kind}_temp_path {place.folder / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""  # who else could not write to the folder of the tests
    around = f"{user}\ndaemon off;\nworker_processes 1;\npid {place.folder / 'pid'};\nevents {{}}\n"
    around += f"http {{\naccess_log {place.log};\n{temporary}{text}}}\n"
    return _written(place.folder / "whole.conf", around)


def _caddy(place: Place) -> Path:
    """The example with a certificate of ours, since nobody outside gives one to an invented name."""
    opening = f"{place.host} {{\n"
    text = _adapted("Caddyfile", place).replace(
        opening, f"{opening}\tbind 127.0.0.1\n\ttls {place.certificate} {place.certificate}\n", 1
    )
    ports = f"\thttp_port {place.http}\n\thttps_port {place.https}\n"
    return _written(place.folder / "Caddyfile", f"{{\n\tadmin off\n{ports}}}\n{text}")


def _adapted(name: str, place: Place) -> str:
    text = (EXAMPLES / name).read_text()
    assert "127.0.0.1:8080" in text
    kept = text.replace(CERTIFICATE, "\0")
    return (
        kept.replace("127.0.0.1:8080", f"127.0.0.1:{place.inside}")
        .replace(HOST, place.host)
        .replace("\0", CERTIFICATE)
    )


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        await asyncio.sleep(0.05)
        return False
    writer.close()
    return True
