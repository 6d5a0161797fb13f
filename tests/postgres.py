"""A PostgreSQL cluster of the tests' own: in a temporary directory, reached by a socket, gone with the tests.

It never runs as root: tests of root hand it to an unprivileged user. One shell process holds the cluster up
while its standard input is open, so the cluster also goes when the tests are interrupted or killed. Called
by `tests.conftest` only.
"""

import itertools
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

UNPRIVILEGED = ("postgres", "nobody")  # who runs the cluster when root runs the tests
NEEDED = ("initdb", "pg_ctl", "postgres", "createdb", "dropdb")
NewDatabase = Callable[[], AbstractContextManager[str]]  # gives its URL
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}  # nothing of the caller's PGHOST, PGOPTIONS …

# $1: the directory of the programs, $2: a directory of our own, where everything is kept.
HOLD = """
bin=$1 home=$2
trap 'cat "$home/log"; rm -rf "$home"' EXIT
exec 2>>"$home/log"
"$bin/initdb" --pgdata="$home/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync \
  >>"$home/log" || exit
cat >>"$home/data/postgresql.conf" <<SETTINGS
unix_socket_directories = '$home'
listen_addresses = ''
max_connections = 200
fsync = off
synchronous_commit = off
full_page_writes = off
SETTINGS
"$bin/pg_ctl" start --silent --wait --pgdata="$home/data" --log="$home/log" || exit
trap 'rm -rf "$home"' EXIT
echo ready
cat >/dev/null
"$bin/pg_ctl" stop --silent --wait --mode=immediate --pgdata="$home/data"
"""


class NoPostgres(Exception):
    """PostgreSQL cannot run here; the message says why, for people."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster: where its programs and its socket are."""

    programs: Path
    socket: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextmanager
    def database(self, like: str = "template0") -> Iterator[str]:
        """The SQLAlchemy URL of a database that nobody else uses, dropped afterwards: an empty one, or a copy of the one of this
        name, to which nobody may be connected."""
        name = f"jura_{next(self._numbers)}"
        self._run("createdb", f"--template={like}", name)
        try:
            yield f"postgresql+asyncpg://postgres@/{name}?host={quote(str(self.socket))}"
        finally:
            self._run("dropdb", "--force", name)

    def _run(self, program: str, *arguments: str) -> None:
        at = [f"--host={self.socket}", "--username=postgres", "--no-password"]
        subprocess.run([self.programs / program, *at, *arguments], env=ENVIRONMENT, check=True)


def find_programs() -> Path:
    """The directory of the newest PostgreSQL programs on this machine, or NoPostgres."""
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    on_path = shutil.which("initdb")
    places = sorted(debian, key=lambda place: int(re.sub(r"\D", "", place.parent.name) or 0), reverse=True)
    places += [Path(on_path).resolve().parent] if on_path else []
    for place in places:
        if all((place / program).exists() for program in NEEDED):
            return place
    raise NoPostgres("PostgreSQL's programs (initdb, postgres …) are not installed; on Debian: postgresql")


@contextmanager
def running() -> Iterator[Cluster]:
    """A cluster that is up inside the block and gone without trace after it; raises NoPostgres."""
    programs, runner = find_programs(), _runner()
    home = Path(tempfile.mkdtemp(prefix="jura-pg-"))
    if runner:
        os.chown(home, runner["user"], runner["group"])
    with subprocess.Popen(
        ["/bin/sh", "-c", HOLD, "hold", str(programs), str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=home,
        env=ENVIRONMENT,
        start_new_session=True,  # Ctrl-C is for the tests; they let go of the cluster when they are done
        **runner,
    ) as holder:
        assert holder.stdout is not None
        answer = holder.stdout.readline()
        if answer != "ready\n":
            raise NoPostgres(f"PostgreSQL did not start:\n{answer}{holder.stdout.read()}")
        yield Cluster(programs, home)


def _runner() -> dict[str, Any]:
    """Whom the cluster runs as, in the words of Popen: nothing to say unless we are root."""
    if os.geteuid() != 0:
        return {}
    for name in UNPRIVILEGED:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise NoPostgres(f"PostgreSQL refuses to run as root, and there is no user {' or '.join(UNPRIVILEGED)}")
