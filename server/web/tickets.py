"""Tickets: what a page gives to a browser so that the next form can show that it came from there, a moment ago and for this.

A ticket is a MAC over purpose, subject, browser and end; nothing is stored when one is given, so strangers cost no rows. What must
work only once is written down when it is used (`models.accounts.spend`).
"""

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web

from server.keys import CLOCK, HOME
from server.web.sessions import browser_of

LASTS: Final = timedelta(minutes=10)
_NONCE, _END, _MAC = 16, 8, 32


def issue(request: web.Request, purpose: str, subject: str = "") -> str:
    """A ticket for this browser, good for ten minutes."""
    end = int((request.app[CLOCK].now() + LASTS).timestamp())
    head = secrets.token_bytes(_NONCE) + end.to_bytes(_END, "big")
    return _text(head + _mac(request, purpose, subject, head))


def is_good(request: web.Request, ticket: str, purpose: str, subject: str = "") -> bool:
    """Did we give this ticket to this browser, for this, within its time?"""
    raw = raw_of(ticket)
    if len(raw) != _NONCE + _END + _MAC:
        return False
    head = raw[: _NONCE + _END]
    fits = hmac.compare_digest(_mac(request, purpose, subject, head), raw[_NONCE + _END :])
    return fits and request.app[CLOCK].now() < end_of(ticket)


def raw_of(ticket: str) -> bytes:
    """The bytes of a ticket; none if it is not one."""
    try:
        return base64.urlsafe_b64decode(ticket[:200] + "=" * (-len(ticket[:200]) % 4))
    except ValueError:
        return b""


def end_of(ticket: str) -> datetime:
    """When a good ticket ends."""
    return datetime.fromtimestamp(int.from_bytes(raw_of(ticket)[_NONCE : _NONCE + _END], "big"), UTC)


def name_of(ticket: str) -> str:
    """Under what its use is written down. Of one ticket there is one name, however it is spelled."""
    return hashlib.sha256(raw_of(ticket)).hexdigest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _mac(request: web.Request, purpose: str, subject: str, head: bytes) -> bytes:
    what = b"\0".join([purpose.encode(), subject.encode(), browser_of(request).encode(), head])
    return hmac.new(request.app[HOME].csrf_key, b"ticket\0" + what, hashlib.sha256).digest()
