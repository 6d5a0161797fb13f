"""E-mail goes out to the mail server of the settings. Sending is done outside of any transaction; each mail is settled in its own.

Who is killed after the server took a mail over and before that is written sends it once more when the lease ends: with the same
Message-ID, by which many mailboxes show it once.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as AS_SENT
from typing import TYPE_CHECKING, Final

from aiohttp import web

from activitypub.later import later
from models import mails
from models.mails import Mail, Mailbox
from models.rules import backoff
from server.actions import lost
from server.keys import CLOCK, DATABASE, HOME, SETTINGS
from server.settings import Smtp

if TYPE_CHECKING:
    import aiosmtplib
else:
    aiosmtplib = later("aiosmtplib")

LEASE: Final = timedelta(minutes=10)
AT_ONCE: Final = 8
PATIENCE: Final = 60.0  # seconds for one mail: a batch is done within its lease
COMMAND_PATIENCE: Final = 30.0
REASON_LENGTH: Final = 300

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How it went. `is_final`: it will never be taken. `no_such_address`: because there is no such mailbox."""

    reason: str = ""
    is_final: bool = False
    no_such_address: bool = False


async def mail_due(app: web.Application) -> int:
    """Send what is due; returns how many mails were tried. Without a mail server in the settings everything waits."""
    smtp = app[SETTINGS].smtp
    if smtp is None:
        return 0
    await _look_up(app)
    async with app[DATABASE].ACT.begin() as session:
        batch = await mails.claim(session, app[CLOCK].now(), LEASE, AT_ONCE)
    if batch:
        await _send_all(app, smtp, batch)
    return len(batch)


async def _look_up(app: web.Application) -> None:
    """Who said that they cannot log in gets their link with this pass."""
    async with app[DATABASE].READ() as session:
        if not await lost.any_waiting(session):
            return
    async with app[DATABASE].ACT.begin() as session:
        await lost.look_up(session, app[HOME], app[CLOCK].now())


async def _send_all(app: web.Application, smtp: Smtp, batch: Sequence[Mail]) -> None:
    """One connection for all; where there is none, all of them wait."""
    client, trouble = _client(smtp), ""
    try:
        for mail in batch:
            if not trouble and not client.is_connected:
                trouble = await _connect(client)
            await _settle(app, mail, Outcome(trouble) if trouble else await _send(app, client, smtp, mail))
    finally:
        client.close()


def _client(smtp: Smtp) -> "aiosmtplib.SMTP":
    return aiosmtplib.SMTP(
        hostname=smtp.host,
        port=smtp.port,
        username=smtp.username or None,
        password=smtp.password or None,
        use_tls=smtp.is_tls,
        start_tls=smtp.start_tls,
        timeout=COMMAND_PATIENCE,
    )


async def _connect(client: "aiosmtplib.SMTP") -> str:
    """Why there is no connection; nothing if there is one."""
    try:
        async with asyncio.timeout(PATIENCE):
            await client.connect()
    except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
        logger.warning("the mail server is not to be had: %s", _said(error))
        return f"No connection to the mail server: {_said(error)}"
    return ""


async def _send(app: web.Application, client: "aiosmtplib.SMTP", smtp: Smtp, mail: Mail) -> Outcome:
    now = app[CLOCK].now()
    if mail.until is not None and mail.until <= now:
        return Outcome("It came too late.", is_final=True)
    if mail.attempts > backoff.MOST_ATTEMPTS:
        return Outcome(mail.reason or "Each attempt ended with the process.", is_final=True)
    message = message_of(mail, smtp.sender)
    try:
        async with asyncio.timeout(PATIENCE):
            await client.sendmail(smtp.sender.addr_spec, [mail.address], message.as_bytes(policy=AS_SENT))
    except aiosmtplib.SMTPRecipientsRefused as error:
        code = error.recipients[0].code
        return Outcome(_said(error.recipients[0]), is_final=code >= 500, no_such_address=code >= 500)
    except aiosmtplib.SMTPResponseException as error:
        return Outcome(
            _said(error), is_final=isinstance(error, aiosmtplib.SMTPDataError) and error.code >= 500
        )
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        client.close()
        return Outcome(_said(error))
    return Outcome()


def message_of(mail: Mail, sender: Address) -> EmailMessage:
    """The mail as it travels. Its date is when it was made, also when it is tried again."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.address
    message["Subject"] = mail.subject
    message["Date"] = mail.made_at
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    if mail.stop:
        message["List-Unsubscribe"] = f"<{mail.stop}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


async def _settle(app: web.Application, mail: Mail, outcome: Outcome) -> None:
    """What became of a mail: gone, tried again later, or given up."""
    now = app[CLOCK].now()
    pause = backoff.next_attempt(mail.attempts, f"mail {mail.id}")
    async with app[DATABASE].ACT.begin() as session:
        if not outcome.reason:
            await mails.sent(session, mail.id)
        elif outcome.is_final or pause is None:
            await mails.give_up(session, mail, now, outcome.reason)
        else:
            await mails.put_off(session, mail, now + pause, outcome.reason)
        if outcome.no_such_address:
            box = await session.get(Mailbox, mail.member_id, with_for_update=True) if mail.member_id else None
            if box is not None and box.address == mail.address:
                box.refused_at = now
            if box is not None and box.pending == mail.address:
                box.pending_until = now


def _said(error: Exception) -> str:
    """What went wrong, as one bounded line."""
    words = str(error)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        words = f"{error.code} {error.message}"
    return (" ".join(words.split()) or type(error).__name__)[:REASON_LENGTH]
