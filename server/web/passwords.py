"""Passwords: argon2id, in a thread, few at once (each takes 64 MiB), outside every transaction."""

import asyncio
import unicodedata
from typing import Final

from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE: Final = 4
HASHING: web.AppKey[asyncio.Semaphore] = web.AppKey("hashing", asyncio.Semaphore)
HASHER: Final = PasswordHasher()

# Checked when nobody has that name, so that an unknown name takes as long as a wrong password.
NOBODY: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$3qRSjiEfCMA2Zdgpfrbibw$gROY5eEE5EOZjQxRNngJr5Eh2hOaI17THKSDhCNMHhM"
)


async def hash_password(app: web.Application, password: str) -> str:
    """What is stored of a password."""
    async with app[HASHING]:
        return await asyncio.to_thread(HASHER.hash, _same(password))


async def is_password(app: web.Application, stored: str | None, password: str) -> bool:
    """Is this the password whose hash is `stored`? Without one (nobody has that name) it takes as long, and is not."""
    async with app[HASHING]:
        right = await asyncio.to_thread(_verify, stored or NOBODY, _same(password))
    return right and stored is not None


def _verify(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _same(password: str) -> str:
    """Keyboards write the same letter in more than one way; it must stay the same password."""
    return unicodedata.normalize("NFKC", password)
