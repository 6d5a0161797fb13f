"""Who there is: actors here and elsewhere, members, their log-ins, circles and who sits in them.

Rows and their queries; no rule and no permission lives here. An actor's private keys are stored encrypted with the instance
secret; opening them is `server.home`'s business.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base


class Actor(Base):
    """An ActivityPub actor. `kind`: collective, circle, instance, member, feed (all local) or remote."""

    __tablename__ = "actors"
    __table_args__ = (Index("ix_actors_local_handle", "kind", "handle"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    type: Mapped[str] = mapped_column(String(32))
    handle: Mapped[str] = mapped_column(String(255))
    authority: Mapped[str] = mapped_column(String(300), index=True)  # host[:port] of the uri
    name: Mapped[str] = mapped_column(Text, default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    url: Mapped[str | None] = mapped_column(Text)
    inbox: Mapped[str] = mapped_column(Text)
    shared_inbox: Mapped[str | None] = mapped_column(Text)
    key_id: Mapped[str] = mapped_column(Text, index=True)
    rsa_pem: Mapped[str] = mapped_column(Text)
    ed25519: Mapped[str | None] = mapped_column(String(64), index=True)  # multikey
    private_rsa: Mapped[bytes | None] = mapped_column(LargeBinary)
    private_ed25519: Mapped[bytes | None] = mapped_column(LargeBinary)
    scopes: Mapped[str | None] = mapped_column(Text)  # kin: template of the address of a scope, with {scope}
    created_at: Mapped[datetime]
    fetched_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
    moved_to: Mapped[str | None] = mapped_column(Text)
    moved_at: Mapped[datetime | None]
    rotated_at: Mapped[datetime | None]  # local: when its RSA key was last changed
    previous_rsa: Mapped[bytes | None] = mapped_column(
        LargeBinary
    )  # the one before, until everybody was told

    @property
    def is_local(self) -> bool:
        return self.kind != "remote"

    @property
    def is_kin(self) -> bool:
        return self.scopes is not None

    @property
    def followers(self) -> str:
        """The followers collection of a local actor."""
        return f"{self.uri}/followers"

    @property
    def address(self) -> str:
        """`@assembly@north.example`, as people write it."""
        return f"@{self.handle}@{self.authority}"


class Member(Base):
    """A person the collective has admitted. No public actor unless they ask for one."""

    __tablename__ = "members"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    about: Mapped[str] = mapped_column(Text, default="")  # for the other members
    password_hash: Mapped[str] = mapped_column(Text)  # empty: no password is right any more
    lang: Mapped[str | None] = mapped_column(String(35))
    zone: Mapped[str | None] = mapped_column(String(64))  # such as Europe/Lisbon
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed
    totp_at: Mapped[datetime | None]  # since when the second factor is asked for
    totp_step: Mapped[int | None] = mapped_column(BigInteger)  # of the last code that was used
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("actors.id"))
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    removed_by: Mapped[str | None] = mapped_column(String(64), unique=True)  # the decision that removed them
    erased_at: Mapped[datetime | None]


class Login(Base):
    """A browser that is logged in. The token itself is only in the cookie; here is its sha-256."""

    __tablename__ = "logins"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    how: Mapped[str] = mapped_column(String(16), default="")  # password, code, passkey, joined, recovered
    browser: Mapped[str] = mapped_column(String(80), default="")  # as it calls itself, in two words
    acted_at: Mapped[datetime | None]  # when something was last sent from it, to the hour


class LoginFailure(Base):
    """An attempt that counts against a limit, kept until it counts no more. `subject` is a digest, never an address or a name."""

    __tablename__ = "login_failures"
    __table_args__ = (Index("ix_login_failures_subject_at", "subject", "at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    until: Mapped[datetime]


class Invitation(Base):
    """A link that lets somebody join. `kind`: founder (once, from the command line) or member."""

    __tablename__ = "invitations"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    mandate_id: Mapped[int | None] = mapped_column(ForeignKey("mandates.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    uses_left: Mapped[int] = mapped_column(Integer)


class Circle(Base):
    """A circle of this collective; the assembly (fewer than six members) is the one circle of whatever size."""

    __tablename__ = "circles"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actors.id"), unique=True)
    is_assembly: Mapped[bool] = mapped_column(Boolean, default=False)
    dealt_for: Mapped[str | None] = mapped_column(String(64), index=True)  # the decision it was dealt for
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    actor: Mapped[Actor] = relationship(lazy="joined")


class Membership(Base):
    """A member sits in a circle, from and until."""

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("circle_id", "member_id", "since"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    circle_id: Mapped[int] = mapped_column(ForeignKey("circles.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]


async def take_turns(session: AsyncSession, uris: Iterable[str]) -> set[str]:
    """Those of these actors that are gone. On PostgreSQL nobody else gets further than here with any of them until the transaction
    ends. (SQLite lets one in after the other anyway.)"""
    rows = await session.execute(TURNS, {"uris": list(uris)})
    return {uri for uri, gone_at in rows if gone_at is not None}


TURNS: Final = (
    select(Actor.uri, Actor.gone_at)
    .where(Actor.uri.in_(bindparam("uris", expanding=True)))
    .order_by(Actor.id)
    .with_for_update(key_share=True)
)


async def actor_by_uri(session: AsyncSession, uri: str) -> Actor | None:
    return await session.scalar(select(Actor).where(Actor.uri == uri))


async def actors_by_uri(session: AsyncSession, uris: Iterable[str]) -> dict[str, Actor]:
    """Those of these actors that we know, by uri."""
    asked = list(uris)
    if not asked:
        return {}
    return {actor.uri: actor for actor in (await session.scalars(BY_URI, {"uris": asked})).all()}


BY_URI: Final = select(Actor).where(Actor.uri.in_(bindparam("uris", expanding=True)))


async def actors_by_id(session: AsyncSession, numbers: Iterable[int]) -> dict[int, Actor]:
    asked = set(numbers)
    found = await session.scalars(select(Actor).where(Actor.id.in_(asked))) if asked else ()
    return {actor.id: actor for actor in found}


async def actors_by_key(session: AsyncSession, keys: Iterable[str]) -> dict[str, Actor]:
    """Actors, here and elsewhere, by the key with which they sign records; of two with one key the first known."""
    query = select(Actor).where(Actor.ed25519.in_(list(keys))).order_by(Actor.id.desc())
    return {actor.ed25519: actor for actor in (await session.scalars(query)).all() if actor.ed25519}


async def local_actor(session: AsyncSession, kind: str) -> Actor | None:
    """The only local actor of a kind of which an instance has one: `collective` or `instance`."""
    return await session.scalar(select(Actor).where(Actor.kind == kind))


async def ourselves(session: AsyncSession) -> dict[str, Actor]:
    """The collective and the instance actor, by kind."""
    query = select(Actor).where(Actor.kind.in_(("collective", "instance")))
    return {actor.kind: actor for actor in await session.scalars(query)}


async def local_actor_by_handle(session: AsyncSession, handle: str) -> Actor | None:
    return await session.scalar(select(Actor).where(Actor.kind != "remote", Actor.handle == handle.lower()))


async def seen_members(session: AsyncSession, most: int) -> tuple[Sequence[Actor], int]:
    """Those who have a public profile, by name, the first `most` of them; and how many they are."""
    query = select(Actor, func.count().over()).where(Actor.kind == "member", Actor.gone_at.is_(None))
    rows = (await session.execute(query.order_by(Actor.name, Actor.id).limit(most))).all()
    return [actor for actor, _ in rows], rows[0][1] if rows else 0


async def members(session: AsyncSession) -> Sequence[Member]:
    """Those who have joined and not left, oldest first."""
    return (await session.scalars(select(Member).where(Member.left_at.is_(None)).order_by(Member.id))).all()


async def members_page(
    session: AsyncSession, before: int | None, size: int, words: Sequence[str] = ()
) -> Sequence[Member]:
    """Those who have joined and not left and whose name has all these words in it, the latest first, who came before number
    `before`. However many there are, only those that are asked for leave the database."""
    query = select(Member).where(Member.left_at.is_(None))
    query = query.where(*(Member.name.icontains(word, autoescape=True) for word in words))
    if before is not None:
        query = query.where(Member.id < before)
    return (await session.scalars(query.order_by(Member.id.desc()).limit(size))).all()


async def members_by_id(session: AsyncSession, numbers: Iterable[int]) -> dict[int, Member]:
    """These members, past ones too."""
    asked = set(numbers)
    found = await session.scalars(select(Member).where(Member.id.in_(asked))) if asked else ()
    return {member.id: member for member in found}


async def former_page(session: AsyncSession, before: int | None, size: int) -> Sequence[Member]:
    """Those who have gone and whose name is still here, the latest to go first, of whom number `before` went later."""
    query = select(Member).where(Member.left_at.is_not(None), Member.erased_at.is_(None))
    if before is not None:
        went = select(Member.left_at).where(Member.id == before).scalar_subquery()
        same = (Member.left_at == went) & (Member.id < before)
        query = query.where((Member.left_at < went) | same)
    return (await session.scalars(query.order_by(Member.left_at.desc(), Member.id.desc()).limit(size))).all()


async def member_count(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(Member).where(Member.left_at.is_(None))) or 0


async def member_by_login(session: AsyncSession, login: str) -> Member | None:
    return await session.scalar(select(Member).where(Member.login == login.strip().lower()))


async def circles(session: AsyncSession) -> Sequence[Circle]:
    """Standing circles (those not dealt for one decision), oldest first."""
    query = select(Circle).where(Circle.ended_at.is_(None), Circle.dealt_for.is_(None)).order_by(Circle.id)
    return (await session.scalars(query)).all()


async def how_many(session: AsyncSession) -> tuple[int, int]:
    """How many members and how many standing circles there are."""
    members_here = select(func.count()).select_from(Member).where(Member.left_at.is_(None))
    standing = select(func.count()).select_from(Circle)
    standing = standing.where(Circle.ended_at.is_(None), Circle.dealt_for.is_(None))
    row = (await session.execute(select(members_here.scalar_subquery(), standing.scalar_subquery()))).one()
    return row[0], row[1]


async def lock_assembly(session: AsyncSession) -> None:
    """On PostgreSQL, whoever changes who there is comes one after the other until the transaction ends."""
    await session.scalar(select(Circle.id).where(Circle.is_assembly).with_for_update(key_share=True))


async def circle_by_actor(session: AsyncSession, actor_id: int) -> Circle | None:
    return await session.scalar(select(Circle).where(Circle.actor_id == actor_id))


async def circles_by_key(session: AsyncSession) -> dict[str, Circle]:
    """Every circle of this instance, past ones too, by its key."""
    rows = (await session.scalars(select(Circle))).all()
    return {circle.actor.ed25519: circle for circle in rows if circle.actor.ed25519}


async def members_of(session: AsyncSession, circle_id: int) -> Sequence[Member]:
    """Who sits in a circle now."""
    query = (
        select(Member)
        .join(Membership, Membership.member_id == Member.id)
        .where(Membership.circle_id == circle_id, Membership.until.is_(None))
        .order_by(Member.id)
    )
    return (await session.scalars(query)).all()


async def circle_of(session: AsyncSession, member_id: int) -> Circle | None:
    """The circle in which a member sits now, if any."""
    query = (
        select(Circle)
        .join(Membership, Membership.circle_id == Circle.id)
        .where(Membership.member_id == member_id, Membership.until.is_(None), Circle.ended_at.is_(None))
    )
    return await session.scalar(query)
