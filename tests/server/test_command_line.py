"""The command line as operators meet it: what a wrong start says, what `init` gives, what `doctor` finds.

A wrong start is one line on stderr and exit code 2, whatever is wrong. Commands run in this process where that is the same; those
that serve run as processes of their own.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from models.base import open_database
from models.migrations import migrate
from server.__main__ import COMMANDS, main
from server.settings import read_settings
from tests import postgres
from tests.federation.harness import Federation, free_port
from tests.federation.meetings import Meetings
from tests.federation.stock import Stock
from tests.server.web.browser import Browser

ROOT = Path(__file__).parents[2]
SECRET = "a secret that is long enough for anybody"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of whoever runs the tests; every instance in a directory of this test."""
    for name in [name for name in os.environ if name.startswith("JURA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JURA_URL", "https://north.example")
    monkeypatch.setenv("JURA_DATA", str(tmp_path / "data"))


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of an instance that was founded by the command, with flags."""
    data = tmp_path_factory.mktemp("founded")
    environment = {"JURA_DATA": str(data), "JURA_URL": "https://north.example"}
    done = jura("init", "--name", "North Wood", "--handle", "north", environment=environment)
    assert done.returncode == 0, done.stderr
    return data


def jura(*arguments: str, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """A command as a process of its own, which must end by itself."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("JURA_")}
    command = [sys.executable, "-m", "server", *arguments]
    return subprocess.run(
        command, env=kept | environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


# Wrong starts


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a wrong start says; it exits with 2 and says nothing else."""
    code = main(arguments)
    out, err = capsys.readouterr()
    assert (code, out) == (2, ""), err
    assert err.startswith("jura: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "JURA_DATABASE must look like"),
        ("mysql://host/name", "JURA_DATABASE must look like"),
        ("postgresql+asyncpg://jura@127.0.0.1:1/jura", "cannot be opened"),
        ("sqlite+aiosqlite:////nowhere/at/all.sqlite", "cannot be opened"),
    ],
)
def test_a_wrong_database_url_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, says: str
) -> None:
    monkeypatch.setenv("JURA_SECRET", SECRET)
    monkeypatch.setenv("JURA_DATABASE", url)
    assert says in refused(capsys, "serve")


def test_a_file_that_is_no_database_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("Bread, milk, a cargo bike.\n" * 100)
    monkeypatch.setenv("JURA_SECRET", SECRET)
    monkeypatch.setenv("JURA_DATABASE", f"sqlite+aiosqlite:///{tmp_path / 'notes.txt'}")
    assert "not a database" in refused(capsys, "serve")


def test_a_database_that_is_not_prepared_is_not_touched_on_postgresql(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], postgres_cluster: postgres.Cluster
) -> None:
    with postgres_cluster.database() as url:
        monkeypatch.setenv("JURA_SECRET", SECRET)
        monkeypatch.setenv("JURA_DATABASE", url)
        assert "run `jura migrate` first" in refused(capsys, "serve")
        assert "run `jura migrate` first" in refused(capsys, "work")
        assert main(["migrate"]) == 0
        assert "before: empty" in capsys.readouterr().out
        assert "run `jura init` first" in refused(capsys, "serve")


def test_a_taken_port_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], founded: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("JURA_DATA", str(founded))
        monkeypatch.setenv("JURA_LISTEN", f"127.0.0.1:{port}")
        assert f"Port {port} on 127.0.0.1 cannot be used" in refused(capsys, "serve", "--no-workers")


def test_a_wrong_start_looks_the_same_from_outside(founded: Path) -> None:
    environment = {"JURA_URL": "https://north.example", "JURA_DATA": str(founded), "JURA_SECRET": SECRET}
    done = jura("serve", environment=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "does not open this database's keys" in done.stderr


@pytest.mark.parametrize("command", ["init", "serve"])
def test_a_data_directory_that_cannot_be_written_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("JURA_DATA", str(tmp_path / "file" / "data"))
    if command == "serve":
        monkeypatch.setenv("JURA_SECRET", SECRET)
    flags = ("--name", "North", "--handle", "north") if command == "init" else ()
    assert "JURA_DATA" in refused(capsys, command, *flags)


def test_a_data_directory_where_nobody_may_write_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JURA_DATA", "/proc/self")  # not even root writes there
    assert "cannot be written" in refused(capsys, "init", "--name", "North", "--handle", "north")


def test_a_missing_a_short_and_a_wrong_secret_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], founded: Path
) -> None:
    assert "There is no instance secret" in refused(capsys, "serve")
    monkeypatch.setenv("JURA_SECRET", "short")
    assert "too short" in refused(capsys, "serve")
    monkeypatch.setenv("JURA_DATA", str(founded))
    monkeypatch.setenv("JURA_SECRET", SECRET)
    assert "not the one they were made with" in refused(capsys, "serve")


def test_a_secret_that_is_there_and_cannot_be_read_is_not_called_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "secret").mkdir()  # root, as whom tests may run, reads every file
    monkeypatch.setenv("JURA_DATA", str(tmp_path))
    said = refused(capsys, "serve")
    assert "secret cannot be read" in said
    assert "jura init" not in said


def test_a_database_that_can_only_be_read_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], founded: Path
) -> None:
    monkeypatch.setenv("JURA_DATA", str(founded))
    monkeypatch.setenv(
        "JURA_DATABASE", f"sqlite:///file:{founded / 'jura.sqlite'}?mode=ro&uri=true"
    )  # root writes to every file
    assert "cannot be written" in refused(capsys, "serve")


def test_another_address_than_the_one_others_know_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], founded: Path
) -> None:
    monkeypatch.setenv("JURA_DATA", str(founded))
    for url in ("https://south.example", "https://north.example.org"):
        monkeypatch.setenv("JURA_URL", url)
        assert "this database is the one of north.example" in refused(capsys, "serve")


def test_a_database_from_a_newer_version_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async def prepare() -> None:
        database = open_database(f"sqlite+aiosqlite:///{tmp_path / 'jura.sqlite'}")
        await migrate(database.engine)
        await database.close()

    asyncio.run(prepare())
    with sqlite3.connect(tmp_path / "jura.sqlite") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    monkeypatch.setenv("JURA_DATA", str(tmp_path))
    monkeypatch.setenv("JURA_SECRET", SECRET)
    for command in ("serve", "migrate", "doctor"):
        assert "from a newer version of Jura (revision 9999)" in refused(capsys, command)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("JURA_URL", "", "JURA_URL is missing"),
        ("JURA_URL", "http://north.example", "must begin with https"),
        ("JURA_LISTEN", "everywhere", "JURA_LISTEN must look like"),
        ("JURA_POLL", "often", "JURA_POLL must be a number"),
        ("JURA_CLOCK", "clock", "JURA_CLOCK is for development"),
        ("JURA_NAMES", "fed.test=127.0.0.1:8443", "JURA_NAMES is for development"),
        ("JURA_SMTP", "mail.north.example", "JURA_SMTP must look like"),
        ("JURA_SMTP", "smtp://north.example:99999", "JURA_SMTP must look like"),
        ("JURA_SMTP", "smtp://north.example", "JURA_MAIL_FROM must be an address"),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, says: str
) -> None:
    monkeypatch.setenv("JURA_SECRET", SECRET)
    monkeypatch.setenv(name, value)
    assert says in refused(capsys, "serve")


@pytest.mark.parametrize(
    ("address", "host", "port", "is_tls", "start_tls"),
    [
        ("smtp://ana:b%40c@mail.north.example", "mail.north.example", 587, False, True),
        ("smtp://mail.north.example:25", "mail.north.example", 25, False, None),
        ("smtp://ana:b%40c@localhost:25", "localhost", 25, False, False),
        ("smtps://ana:b%40c@mail.north.example", "mail.north.example", 465, True, False),
    ],
)
def test_a_password_goes_to_the_mail_server_encrypted_or_not_at_all(
    address: str, host: str, port: int, is_tls: bool, start_tls: bool | None
) -> None:
    env = {"JURA_URL": "https://oak.example", "JURA_SECRET": SECRET, "JURA_SMTP": address}
    smtp = read_settings({**env, "JURA_MAIL_FROM": "oak@oak.example"}).smtp
    assert smtp is not None
    assert (smtp.host, smtp.port, smtp.is_tls, smtp.start_tls) == (host, port, is_tls, start_tls)
    assert (smtp.username, smtp.password) == (("ana", "b@c") if "@" in address else ("", ""))
    assert "b@c" not in repr(smtp)
    assert read_settings(env | {"JURA_SMTP": ""}).smtp is None


def test_a_clock_that_shows_nothing_is_said_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "clock").write_text("soon")
    for name, value in {
        "JURA_SECRET": SECRET,
        "JURA_DEVELOPMENT": "1",
        "JURA_CLOCK": str(tmp_path / "clock"),
    }.items():
        monkeypatch.setenv(name, value)
    assert "does not hold an instant" in refused(capsys, "serve")


@pytest.mark.parametrize(
    "names", ["fed.test", "fed.test=8443", "fed.test=192.0.2.1:8443", "fed.example=127.0.0.1:8443"]
)
def test_names_are_told_with_loopback_addresses_and_invented_ones_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], names: str
) -> None:
    monkeypatch.setenv("JURA_SECRET", SECRET)
    monkeypatch.setenv("JURA_DEVELOPMENT", "1")
    monkeypatch.setenv("JURA_NAMES", f"oak.test=127.0.0.1:8444,{names}")
    assert f"JURA_NAMES must look like fed.test=127.0.0.1:8443,…; it has {names!r}" in refused(
        capsys, "serve"
    )


def test_work_alone_needs_postgresql(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], founded: Path
) -> None:
    monkeypatch.setenv("JURA_DATA", str(founded))
    assert "needs PostgreSQL" in refused(capsys, "work")


def test_the_keys_of_all_actors_are_changed_by_a_command(founded: Path, tmp_path: Path) -> None:
    shutil.copytree(founded, tmp_path / "copy")
    environment = {"JURA_DATA": str(tmp_path / "copy"), "JURA_URL": "https://north.example"}
    asked = "SELECT rsa_pem, ed25519, previous_rsa FROM actors ORDER BY id"
    with contextlib.closing(sqlite3.connect(tmp_path / "copy" / "jura.sqlite")) as rows:
        before = rows.execute(asked).fetchall()
        done = jura("keys", "rotate", "--yes", environment=environment)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("3 actors have new keys.")
        after = rows.execute(asked).fetchall()
    assert not {row[0] for row in before} & {row[0] for row in after}
    assert [row[1] for row in before] == [row[1] for row in after]
    assert {row[2] for row in after} == {None}
    no = jura("keys", "rotate", environment=environment)
    assert (no.returncode, no.stderr.count("\n")) == (2, 1)


# Help and founding


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"] if command else ["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: jura {command}".rstrip())
    explained = list(COMMANDS) if not command else [" ".join(COMMANDS[command][0].split()[:4])]
    for words in explained:
        assert words.lower() in " ".join(said.split()).lower()


def test_init_by_the_environment_is_like_init_by_flags_and_is_done_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JURA_NAME", "North Wood")
    monkeypatch.setenv("JURA_HANDLE", "north")
    assert main(["init"]) == 0
    assert re.search(r"^    https://north\.example/join/[\w-]{43}$", capsys.readouterr().out, re.MULTILINE)
    assert (Path("data") / "secret").stat().st_mode & 0o777 == 0o600
    assert Path("data").stat().st_mode & 0o777 == 0o700
    assert main(["init"]) == 1
    assert capsys.readouterr().err == "jura: This instance already has its collective.\n"
    assert main(["invite"]) == 0
    assert capsys.readouterr().out.startswith("https://north.example/join/")
    with sqlite3.connect(Path("data") / "jura.sqlite") as database:
        database.execute(
            "INSERT INTO members (login, name, about, password_hash, joined_at) "
            "VALUES ('ana', 'Ana', '', '-', '2026-11-23 08:00:00')"
        )
    database.close()
    assert main(["invite"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "Somebody has joined already" in said.err


def test_init_without_a_name_and_nobody_to_ask_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        assert "Say JURA_NAME" in refused(capsys, "init")
    monkeypatch.setattr(sys, "stdin", None)  # as Python has it where there is no standard input at all
    assert "Say JURA_NAME" in refused(capsys, "init")
    assert "must be 2 to 30 small letters" in refused(capsys, "init", "--name", "North", "--handle", "No!")


async def test_the_founders_link_works_and_a_stopped_server_ends_well(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "JURA_URL": f"http://north.localhost:{port}",
        "JURA_DATA": str(tmp_path / "data"),
        "JURA_LISTEN": f"127.0.0.1:{port}",
        "JURA_DEVELOPMENT": "1",
    }
    done = await asyncio.to_thread(
        jura, "init", "--name", "North Wood", "--handle", "north", environment=environment
    )
    link = re.search(r"http://north\.localhost:\d+(/join/\S+)", done.stdout)
    assert link, done.stdout + done.stderr
    async with serving("serve", environment) as server:
        assert server.stdout is not None
        assert b"Jura serves" in await server.stdout.readline()
        settings = SimpleNamespace(url=environment["JURA_URL"], listen_port=port)
        async with Browser(SimpleNamespace(settings=settings)) as ana:  # type: ignore[arg-type]
            page = await ana.get(link[1])
            assert "North Wood" in page.heading
            home = await ana.send(page, link[1], name="Ana", login="ana", password="bread and roses")
            assert home.path.startswith("/?done=joined")
            assert (await ana.get(link[1])).status == 409  # it admits one person
            assert (
                await ana.get(link[1] + "?" + "x" * 9_000)
            ).status == 400  # and no line in the log quotes it
        server.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(server.communicate(), 30)
        assert (server.returncode, err.decode()) == (0, "Jura stops: finishing what is in hand.\n")


@contextlib.asynccontextmanager
async def serving(command: str, environment: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that serves, as a process of its own with nobody at its keyboard."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("JURA_")}
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", command),
        env=kept | environment,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield server
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()


async def said_by_run(environment: Mapping[str, str]) -> str:
    """What `jura run` prints until it serves."""
    async with serving("run", environment) as server:
        assert server.stdout is not None
        said = await asyncio.wait_for(server.stdout.readuntil(b"Ctrl-C"), 60)
        server.send_signal(signal.SIGTERM)
        await asyncio.wait_for(server.communicate(), 30)
        return said.decode()


async def test_run_founds_without_a_question_and_prints_one_address_until_somebody_has_joined(
    tmp_path: Path,
) -> None:
    port, data = free_port(), tmp_path / "data"
    environment = {"JURA_LISTEN": f"127.0.0.1:{port}", "JURA_DATA": str(data)}
    with socket.create_server(("127.0.0.1", port)):
        done = await asyncio.to_thread(jura, "run", environment=environment)
    assert (done.returncode, "choose another with JURA_LISTEN" in done.stderr) == (2, True)
    assert not data.exists()  # nothing is founded at an address that is not to be had
    addresses = []
    for _ in ("founded", "started again"):
        (address,) = re.findall(r"http\S+", await said_by_run(environment))
        assert re.fullmatch(rf"http://jura\.localhost:{port}/join/[\w-]+", address)
        addresses.append(address)
    async with serving("run", environment) as server:
        assert server.stdout is not None
        await asyncio.wait_for(server.stdout.readuntil(b"Ctrl-C"), 60)
        settings = SimpleNamespace(url=f"http://jura.localhost:{port}", listen_port=port)
        async with Browser(SimpleNamespace(settings=settings)) as ana:  # type: ignore[arg-type]
            link = addresses[0].partition(str(port))[2]  # the first one works still
            page = await ana.get(link)
            assert "A new collective" in page.heading
            home = await ana.send(page, link, name="Ana", login="ana", password="bread and roses")
            assert "Four steps to begin" in home.text
        server.send_signal(signal.SIGTERM)
        await asyncio.wait_for(server.communicate(), 30)
    assert re.findall(r"http\S+", await said_by_run(environment)) == [f"http://jura.localhost:{port}/"]


# The doctor

Doctor = Callable[..., tuple[int, str]]


@pytest.fixture
def decided(
    stock: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[tuple[sqlite3.Connection, Doctor]]:
    """The database of an instance that holds a finished decision, and its doctor."""
    clock = tmp_path / "clock"

    async def decide() -> Federation:
        async with Meetings(stock, tmp_path).voting(oak=1, elm=1) as fed:
            await fed.oak.ballot("consent")
            await fed.elm.ballot("concern")
            await fed.settle()
            await fed.finish()
            clock.write_text(fed.clock.now().isoformat())
            assert await fed.agree() == "final adopted"
            return fed

    asyncio.run(decide())
    for name, value in {
        "JURA_URL": "http://oak.test",
        "JURA_DATA": str(tmp_path / "oak"),
        "JURA_DEVELOPMENT": "1",
        "JURA_CLOCK": str(clock),
    }.items():
        monkeypatch.setenv(name, value)

    def doctor(*flags: str) -> tuple[int, str]:
        return main(["doctor", *flags]), capsys.readouterr().out

    database = sqlite3.connect(tmp_path / "oak" / "jura.sqlite", isolation_level=None)
    yield database, doctor
    database.close()


def test_the_doctor_finds_nothing_where_nothing_is_wrong(decided: tuple[sqlite3.Connection, Doctor]) -> None:
    _, doctor = decided
    code, said = doctor()
    waiting = "0 activities wait for their handler; 0 deliveries wait; 0 were given up."
    assert (code, said.splitlines()[0]) == (0, waiting)
    assert "0 mails wait; 0 were given up.\nNo e-mail is sent: JURA_SMTP is not set." in said
    code, said = doctor("--rebuild")
    assert (code, said.splitlines()[-1]) == (0, "All derived rows equal their records.")


def test_the_doctor_speaks_of_one_as_of_one(decided: tuple[sqlite3.Connection, Doctor]) -> None:
    database, doctor = decided
    database.execute("PRAGMA foreign_keys = OFF")
    delivery = ("elm.test", "http://elm.test/inbox", 1, 1, 0, "2026-01-01")
    for dead in (None, "2026-01-01"):
        database.execute(
            "INSERT INTO deliveries (host, inbox, activity_id, signer_id, attempts, due_at, dead_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*delivery, dead),
        )
    item = ("http://elm.test/a/1", "http://elm.test/c/elm", "2026-01-01", 0)
    database.execute(
        "INSERT INTO inbox_items (activity_uri, signer, received_at, attempts) VALUES (?, ?, ?, ?)", item
    )
    waiting = "1 activity waits for its handler; 1 delivery waits; 1 was given up."
    assert doctor()[1].splitlines()[0] == waiting


def test_the_doctor_finds_a_derived_row_that_was_tampered_with_and_mends_it(
    decided: tuple[sqlite3.Connection, Doctor],
) -> None:
    database, doctor = decided
    database.execute("UPDATE decisions SET outcome = 'rejected', winner = 'status-quo'")
    code, said = doctor("--rebuild")
    assert code == 1
    assert "outcome was 'rejected', is 'adopted'" in said
    assert "2 differences found and mended." in said
    assert database.execute("SELECT outcome FROM decisions").fetchall() == [("adopted",)]
    assert doctor("--rebuild")[0] == 0


@pytest.mark.parametrize("how", ["reworded", "cut off"])
def test_the_doctor_names_a_record_that_was_tampered_with(
    decided: tuple[sqlite3.Connection, Doctor], how: str
) -> None:
    database, doctor = decided
    (digest, body) = database.execute("SELECT digest, body FROM records WHERE type = 'Ballot'").fetchone()
    changed = body.replace(b'"concern"', b'"object"').replace(b'"consent"', b'"object"')
    assert changed != body
    changed = changed if how == "reworded" else body[: len(body) // 2]
    database.execute("UPDATE records SET body = ? WHERE digest = ?", (changed, digest))
    code, said = doctor("--rebuild")
    assert code == 1
    assert f"record {digest[:12]} does not verify" in said
    assert "mended" not in said
    database.execute("UPDATE records SET body = ? WHERE digest = ?", (body, digest))
    assert doctor("--rebuild")[0] == 0


# Speaking


async def test_post_says_something_as_the_collective(stock: Stock, tmp_path: Path) -> None:
    async with Meetings(stock, tmp_path / "fed").founded(oak=1) as fed:
        settings = fed.instances["oak"].settings
        environment = {
            "JURA_URL": settings.url,
            "JURA_DATA": str(settings.data),
            "JURA_DEVELOPMENT": "1",
            "JURA_CLOCK": str(settings.data / "clock"),
        }
        (settings.data / "clock").write_text(fed.clock.now().isoformat())
        picture = settings.data / "yard.png"
        Image.new("RGB", (20, 10)).save(picture)
        told = await asyncio.to_thread(
            jura,
            "post",
            "Bread for #all",
            "--image",
            str(picture),
            "--alt",
            "The yard",
            environment=environment,
        )
        assert (told.returncode, told.stderr) == (0, "")
        async with Browser(fed.instances["oak"]) as visitor:
            page = await visitor.get(told.stdout.strip().removeprefix(settings.url))
        assert "Bread for #all" in page.text
        assert [image.get("alt") for image in page.all("img")] == ["The yard"]
        for words, code, said in (
            (("x", "--image", str(picture)), 2, "A picture needs --alt"),
            (("x", "--image", str(settings.data / "clock"), "--alt", "x"), 2, "not a PNG, JPEG or WebP"),
            (("x", "--as", "bo"), 1, "This needs a mandate to post as the collective"),
            (("x", "--reply-to", "https://elsewhere.example/1"), 1, "What you reply to is not here"),
            ((" ",), 1, "Write something."),
        ):
            wrong = await asyncio.to_thread(jura, "post", *words, environment=environment)
            assert (wrong.returncode, wrong.stdout) == (code, "")
            assert said in wrong.stderr
            assert wrong.stderr.count("\n") == 1
