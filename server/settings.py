"""Settings, read once from the environment (`JURA_…`) and typed. Documented in docs/operating.md; a test holds the two together."""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.headerregistry import Address
from pathlib import Path
from urllib.parse import unquote, urlsplit

NAMES: dict[str, str] = {
    "JURA_URL": "public address of this instance, such as https://north.example",
    "JURA_DATA": "directory for the secret and the SQLite file (default ./data)",
    "JURA_DATABASE": "database URL (default: SQLite in JURA_DATA)",
    "JURA_SECRET": "instance secret, at least 32 characters (default: the file JURA_DATA/secret)",
    "JURA_LISTEN": "address:port on which to listen (default 127.0.0.1:8080)",
    "JURA_PROXIES": "how many proxies stand in front and set X-Forwarded-For (default 0)",
    "JURA_SMTP": "mail server: smtp://user:password@host:port or smtps://… (default: no e-mail is sent)",
    "JURA_MAIL_FROM": "address from which e-mail comes, such as assembly@north.example; needed with JURA_SMTP",
    "JURA_DEVELOPMENT": "1 allows plain http, and private addresses for *.localhost and *.test",
    "JURA_NAMES": "development only: where invented names are, such as fed.test=127.0.0.1:8443,…; no other name is looked up",
    "JURA_CLOCK": "development only: a file that holds the instant to take for now",
    "JURA_POLL": "seconds after which a worker looks even if nothing woke it (default 2)",
}


class SettingsError(Exception):
    """A setting is wrong: one line that says which, and what to do. The command line exits with 2."""


@dataclass(frozen=True)
class Smtp:
    """The mail server to which e-mail is given, and from whom it comes.

    `start_tls`: true demands it, none takes it where it is offered.
    """

    host: str
    port: int
    sender: Address
    is_tls: bool = False
    start_tls: bool | None = None
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Settings:
    """What an instance must be told. `url` has no trailing slash; `authority` is its host[:port]."""

    url: str
    data: Path
    database: str
    secret: str
    listen_host: str
    listen_port: int
    development: bool = False
    clock: Path | None = None
    poll: float = 2.0
    proxies: int = 0
    names: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    smtp: Smtp | None = None

    @property
    def authority(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def secure(self) -> bool:
        """Are pages served over https (so cookies are `Secure`)?"""
        return self.url.startswith("https://")


def read_settings(env: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment; raises `SettingsError` with one clear line."""
    development = env.get("JURA_DEVELOPMENT", "") not in ("", "0")
    data = Path(env.get("JURA_DATA", "data"))
    host, port = _listen(env.get("JURA_LISTEN", "127.0.0.1:8080"))
    clock = env.get("JURA_CLOCK")
    if clock and not development:
        raise SettingsError("JURA_CLOCK is for development: set JURA_DEVELOPMENT=1 too, or leave it out.")
    return Settings(
        url=base_url(env.get("JURA_URL", ""), development),
        data=data,
        database=database_url(env.get("JURA_DATABASE") or f"sqlite:///{data / 'jura.sqlite'}"),
        secret=_secret(env, data),
        listen_host=host,
        listen_port=port,
        development=development,
        clock=Path(clock) if clock else None,
        poll=_number(env, "JURA_POLL", 2.0),
        proxies=int(_number(env, "JURA_PROXIES", 0)),
        names=_names(env.get("JURA_NAMES", ""), development),
        smtp=_smtp(env.get("JURA_SMTP", ""), env.get("JURA_MAIL_FROM", "")),
    )


def base_url(text: str, development: bool) -> str:
    """The public address, checked: https, or in development http for *.localhost and *.test."""
    if not text:
        raise SettingsError(
            "JURA_URL is missing: say the public address of this instance, such as https://north.example"
        )
    parts = urlsplit(text.rstrip("/"))
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.path or parts.query or parts.username:
        raise SettingsError(
            f"JURA_URL must be an address without a path, such as https://north.example; it is {text!r}"
        )
    if parts.scheme == "http" and not (development and re.search(r"(^|\.)(localhost|test)$", host)):
        raise SettingsError(
            "JURA_URL must begin with https:// (plain http only with JURA_DEVELOPMENT=1 and a *.localhost name)"
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def database_url(text: str) -> str:
    """The database URL with the driver that we use; one of another kind is refused in one line."""
    kind, found, rest = text.partition("://")
    driver = {
        "sqlite": "sqlite+aiosqlite",
        "postgresql": "postgresql+asyncpg",
        "postgres": "postgresql+asyncpg",
    }
    if (
        not found
        or kind.partition("+")[0] not in driver
        or (kind.startswith("sqlite") and not rest.startswith("/"))
    ):
        raise SettingsError(
            "JURA_DATABASE must look like sqlite:///file or postgresql://user:password@host/name "
            f"(it begins with {kind[:20]!r})."
        )
    return f"{driver[kind.partition('+')[0]]}://{rest}"


def _has_sound_port(rest: str) -> bool:
    try:
        return urlsplit(f"//{rest}").port != 0
    except ValueError:
        return False


def make_secret(data: Path) -> str:
    """Write a new secret to `data`/secret, readable by its owner only; returns it. An existing one is kept. The directory, if it is
    new, is the owner's alone too: the database beside it holds what circles say."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = data / "secret"
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(48) + "\n")
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(
            f"The data directory {data} cannot be written ({error.strerror}): choose another with JURA_DATA."
        ) from error


def _secret(env: Mapping[str, str], data: Path) -> str:
    secret = env.get("JURA_SECRET", "")
    if not secret:
        path = data / "secret"
        try:
            secret = path.read_text().strip()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise SettingsError(
                f"There is no instance secret: set JURA_SECRET, or run `jura init`, which writes {path}."
            ) from error
        except OSError as error:
            raise SettingsError(
                f"The instance secret {path} cannot be read ({error.strerror}): it and its directory must belong to the user "
                "that Jura runs as."
            ) from error
    if len(secret) < 32:
        raise SettingsError("The instance secret is too short: it needs at least 32 characters.")
    return secret


def _listen(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) < 65536:
        raise SettingsError(f"JURA_LISTEN must look like 127.0.0.1:8080; it is {text!r}")
    return host.strip("[]"), int(port)


def _names(text: str, development: bool) -> Mapping[str, tuple[str, int]]:
    """Invented names and the loopback addresses where they are, for development."""
    if text and not development:
        raise SettingsError("JURA_NAMES is for development: set JURA_DEVELOPMENT=1 too, or leave it out.")
    found = {}
    for part in filter(None, text.split(",")):
        read = re.fullmatch(
            r"([a-z0-9.-]+\.(?:test|localhost))=(127(?:\.\d{1,3}){3}):(\d{1,5})", part.strip()
        )
        if read is None:
            raise SettingsError(f"JURA_NAMES must look like fed.test=127.0.0.1:8443,…; it has {part!r}")
        found[read[1]] = (read[2], int(read[3]))
    return found


def _smtp(text: str, sender: str) -> Smtp | None:
    """The mail server. A password goes nowhere unencrypted, save to this machine."""
    if not text:
        return None
    wrong = "JURA_SMTP must look like smtp://user:password@host:587, or smtps://… for TLS from the beginning"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise SettingsError(f"{wrong}.") from error
    if parts.scheme not in ("smtp", "smtps") or not host or port == 0 or parts.path.strip("/") or parts.query:
        raise SettingsError(f"{wrong}.")
    is_here = host in ("localhost", "::1") or host.startswith("127.")
    is_tls, username = parts.scheme == "smtps", unquote(parts.username or "")
    return Smtp(
        host=host,
        port=port or (465 if is_tls else 587),
        sender=_sender(sender),
        is_tls=is_tls,
        start_tls=False if is_tls or is_here else (True if username else None),
        username=username,
        password=unquote(parts.password or ""),
    )


def _sender(text: str) -> Address:
    wrong = f"JURA_MAIL_FROM must be an address such as assembly@north.example; it is {text!r}"
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError, HeaderParseError) as error:
        raise SettingsError(wrong) from error
    if not address.username or not address.domain or not text.isascii():
        raise SettingsError(wrong)
    return address


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, "")
    try:
        number = float(text) if text else default
    except ValueError as error:
        raise SettingsError(f"{name} must be a number; it is {text!r}") from error
    if number < 0:
        raise SettingsError(f"{name} must not be negative; it is {text!r}")
    return number
