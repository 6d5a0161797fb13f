"""The source of what runs here (AGPL, section 13): the very files of this server, as one archive, changed ones as they are.

Nobody has to publish a fork somewhere else, and the offer cannot go stale.
"""

import asyncio
import hashlib
import io
import zipfile
from functools import cache
from pathlib import Path
from typing import Final

from aiohttp import web

from server.web.render import ROOT

FOLDERS: Final = ("activitypub", "bench", "deploy", "docs", "models", "server", "templates", "tests")
SUFFIXES: Final = frozenset(
    {
        ".py",
        ".html",
        ".css",
        ".js",
        ".mjs",
        ".svg",
        ".md",
        ".toml",
        ".lock",
        ".mako",
        ".service",
        ".conf",
        ".json",
        ".po",
    }
)
BARE_NAMES: Final = frozenset({"LICENSE", "Makefile", "Caddyfile"})
LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # the same files give the same archive


async def source(_request: web.Request) -> web.Response:
    """GET of the archive; made once, when first asked for."""
    body, mark = await asyncio.to_thread(archive)
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": 'attachment; filename="jura-source.zip"',
        "Cache-Control": "public, max-age=3600",
        "ETag": f'"{mark}"',
    }
    return web.Response(body=body, headers=headers)


@cache
def archive() -> tuple[bytes, str]:
    """The archive, and the digest of what is in it."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        for path in files():
            entry = zipfile.ZipInfo(f"jura/{path.relative_to(ROOT)}", LONG_AGO)
            made.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    body = held.getvalue()
    return body, hashlib.sha256(body).hexdigest()[:32]


def files() -> list[Path]:
    """What belongs to the program: never data, secrets or whatever else lies in its folder."""
    found = [
        path for path in ROOT.iterdir() if path.suffix in {".md", ".toml", ".lock"} or path.name in BARE_NAMES
    ]
    for folder in FOLDERS:
        inside = (ROOT / folder).rglob("*")
        found += [path for path in inside if path.suffix in SUFFIXES or path.name in BARE_NAMES]
    return sorted(path for path in found if path.is_file() and not _is_made(path))


def _is_made(path: Path) -> bool:
    """Was it made by running the program, or put in by a package manager?"""
    inside = path.relative_to(ROOT).parts
    return any(part.startswith(".") or part in {"__pycache__", "node_modules"} for part in inside)
