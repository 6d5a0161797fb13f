"""Founding an instance: its actors, the assembly, the founder's one-time link and founding mandate."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from activitypub import keypairs
from models import people
from models.events import log
from models.people import Actor, Circle, Invitation
from models.rules.phrases import phrase
from models.rules.refusals import Conflict, Invalid
from server.home import Home

INSTANCE_HANDLE: Final = "instance"
ASSEMBLY_HANDLE: Final = "assembly"
ASSEMBLY: Final = phrase("The assembly")
NEW_NAME: Final = "A new collective"  # until somebody says what it is called
FOUNDER_LINK_LASTS = timedelta(days=7)


@dataclass(frozen=True)
class KeyPair:
    """Fresh private keys for one actor, as bytes. Made outside a transaction: RSA takes its time."""

    rsa: bytes
    rsa_pem: str
    ed25519: bytes
    multikey: str


def make_key_pair() -> KeyPair:
    """New RSA-2048 and Ed25519 keys (50–300 ms: call it in a thread)."""
    rsa, ed25519 = keypairs.generate_rsa(), keypairs.generate_ed25519()
    return KeyPair(
        rsa=keypairs.private_bytes(rsa),
        rsa_pem=keypairs.pem(rsa.public_key()),
        ed25519=keypairs.private_bytes(ed25519),
        multikey=keypairs.multikey(ed25519),
    )


def local_actor(
    home: Home, kind: str, type_: str, handle: str, name: str, keys: KeyPair, now: datetime, summary: str = ""
) -> Actor:
    """The row of an actor of this instance; the caller adds it."""
    uri = home.uri(f"c/{handle}")
    return Actor(
        uri=uri,
        kind=kind,
        type=type_,
        handle=handle,
        authority=home.authority,
        name=name,
        summary=summary,
        url=home.uri(f"@{handle}"),
        inbox=f"{uri}/inbox",
        shared_inbox=home.uri("inbox"),
        key_id=f"{uri}#main-key",
        rsa_pem=keys.rsa_pem,
        ed25519=keys.multikey,
        private_rsa=home.seal(keys.rsa),
        private_ed25519=home.seal(keys.ed25519),
        scopes=home.uri("scopes/{scope}"),
        created_at=now,
    )


async def found(
    session: AsyncSession,
    home: Home,
    *,
    handle: str,
    name: str,
    summary: str,
    keys: tuple[KeyPair, KeyPair, KeyPair],
    founder_token_hash: str,
    now: datetime,
) -> Actor:
    """Make the collective, its instance actor and its assembly, and a link that admits the founder, once, within 7 days."""
    if await people.local_actor(session, "collective") is not None:
        raise Conflict("founded", phrase("This instance already has its collective."))
    if handle in (INSTANCE_HANDLE, ASSEMBLY_HANDLE):
        raise Invalid(
            {
                "handle": phrase(
                    "“{handle}” is taken by the instance itself; choose another short name.", handle=handle
                )
            }
        )
    collective = local_actor(home, "collective", "Group", handle, name, keys[0], now, summary)
    instance = local_actor(home, "instance", "Application", INSTANCE_HANDLE, home.authority, keys[1], now)
    assembly = local_actor(home, "circle", "Group", ASSEMBLY_HANDLE, str(ASSEMBLY), keys[2], now)
    session.add_all([collective, instance, assembly])
    await session.flush()
    session.add(Circle(actor_id=assembly.id, is_assembly=True, created_at=now))
    offer_founder_link(session, founder_token_hash, now)
    log(session, "instance founded", now, actor=collective.uri)
    return collective


def offer_founder_link(session: AsyncSession, token_hash: str, now: datetime) -> None:
    """A link for the founder. It admits one person, and only while nobody has joined yet."""
    session.add(
        Invitation(
            token_hash=token_hash,
            kind="founder",
            created_at=now,
            expires_at=now + FOUNDER_LINK_LASTS,
            uses_left=1,
        )
    )
