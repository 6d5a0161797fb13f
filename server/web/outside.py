"""What is said from outside about a decision, on its page: the pulse, replies, likes, quotes. Apart from everything that counts.

Foreign HTML passes through `activitypub.content.sanitise` once more on its way out; foreign files are linked, never shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import quote

from markupsafe import Markup
from sqlalchemy import select

from activitypub.content import is_blank, sanitise
from activitypub.foreign import is_web
from activitypub.signatures import authority
from models import people, talk
from models.ledger import Scope
from models.peers import limited_among, shut_out
from models.people import Actor
from models.posts import Post
from models.talk import Quote, Reply
from server.actions import pulse
from server.language import _, ngettext
from server.web.needs import decision_path
from server.web.sessions import Visit

SHOWN: Final = 100
QUOTES_SHOWN: Final = 20
SERVERS_SHOWN: Final = 8


@dataclass(frozen=True)
class Attached:
    """A file of theirs: only a link, with its text."""

    url: str
    words: str


@dataclass(frozen=True)
class Voice:
    """A reply. `folded` says why it is not open at once; `act` is the page on which this viewer hides it or shows it again."""

    anchor: str
    author: str
    profile: str
    at: datetime
    changed: bool
    url: str
    content: Markup
    language: str | None
    folded: str
    is_private: bool
    is_hidden: bool
    attachments: Sequence[Attached]
    act: str
    reply: str = ""  # the page on which this viewer answers as the collective


@dataclass(frozen=True)
class Quoting:
    author: str
    url: str
    act: str


@dataclass(frozen=True)
class PulseView:
    """Answers from outside to one Question."""

    options: Sequence[tuple[str, int]]
    voters: int
    words: str
    cap: str


@dataclass(frozen=True)
class Outside:
    pulses: Sequence[PulseView]
    voices: Sequence[Voice]
    reactions: str
    quotes: Sequence[Quoting]
    more: bool

    def __bool__(self) -> bool:
        return bool(self.pulses or self.voices or self.reactions or self.quotes)


async def outside_of(visit: Visit, scope: Scope) -> Outside:
    """Everything from outside about a decision that this viewer may see."""
    here = select(Post).where(Post.scope == scope.name, Post.is_public, Post.deleted_at.is_(None))
    posts = (await visit.session.scalars(here.order_by(Post.id))).all()
    found = await _about(visit, scope.name, posts, decision_path(scope.name))
    return replace(found, pulses=[one for post in posts if (one := await _pulse(visit, post))])


async def outside_of_post(visit: Visit, post: Post) -> Outside:
    """Everything from outside about one post that this viewer may see."""
    return await _about(visit, post.id, [post], decision_path(post.scope) if post.scope else "/mentions")


async def _about(visit: Visit, thread: str | int, posts: Sequence[Post], path: str) -> Outside:
    """Replies in a thread, and what else was said of its posts. `path`: where this is moderated; consent to a quote is taken
    back on the page of a decision only."""
    ids, moderates = [post.id for post in posts], visit.viewer.is_member and visit.viewer.may("moderate")
    replies = await talk.thread(
        visit.session,
        thread,
        SHOWN + 1,
        with_private=visit.viewer.is_member,
        with_hidden=moderates,
    )
    quotes = await talk.quotes_of(visit.session, ids, QUOTES_SHOWN) if ids else ()
    authors = await people.actors_by_uri(visit.session, {one.author for one in quotes})
    hosts = {one.uri: authority(one.author) for one in quotes}
    limits = await limits_of(visit, hosts.values())
    seen = [one for one in quotes if moderates or hosts[one.uri] not in limits]
    revoked = path if moderates and path.startswith("/decisions/") else ""
    return Outside(
        pulses=(),
        voices=list((await voices_of(visit, replies[-SHOWN:], path if moderates else "")).values()),
        reactions=_reactions(await talk.reactions_to(visit.session, ids) if ids else {}),
        quotes=[_quoting(one, authors.get(one.author), revoked) for one in seen],
        more=len(replies) > SHOWN,
    )


async def voices_of(visit: Visit, rows: Sequence[Reply], moderation: str) -> Mapping[int, Voice]:
    """Replies as pages show them, by their numbers; servers that are blocked are left out."""
    authors = await people.actors_by_uri(visit.session, {row.author for row in rows})
    limits = await limits_of(visit, {row.authority for row in rows})
    speaks, voices = visit.viewer.may("speak"), {}
    for row in rows:
        if limits.get(row.authority) == "blocked":
            continue
        voice = voice_of(row, authors.get(row.author), limits, moderation)
        if speaks and row.is_public and row.hidden_at is None:
            voice = replace(voice, reply=f"/posts/new?reply_to={quote(row.uri, safe='')}")
        voices[row.id] = voice
    return voices


async def limits_of(visit: Visit, authorities: Iterable[str]) -> Mapping[str, str]:
    """Which of these servers are limited or blocked here, by themselves or by a name above theirs."""
    asked = set(authorities)
    limited = dict.fromkeys(await limited_among(visit.session, asked), "limited")
    return limited | dict.fromkeys(await shut_out(visit.session, asked), "blocked")


async def _pulse(visit: Visit, post: Post) -> PulseView | None:
    """Answers to a Question, once there are some."""
    if not pulse.is_pulse(post):
        return None
    found = await pulse.counts(visit.session, post)
    if not found.voters:
        return None
    listed = [f"{authority} ({many})" for authority, many in found.servers[:SERVERS_SHOWN]]
    rest = len(found.servers) - len(listed)
    listed += [ngettext("{n} other server", "{n} other servers", rest)] if rest else []
    words = _(
        "{answers} from {servers}: {names}.",
        answers=ngettext("{n} answer", "{n} answers", found.voters),
        servers=ngettext("{n} server", "{n} servers", len(found.servers)),
        names=", ".join(listed),
    )
    return PulseView(found.options, found.voters, words, _capped(", ".join(found.capped[:SERVERS_SHOWN])))


def _capped(full: str) -> str:
    """How many answers are counted at most, and by whom that is reached."""
    server, site = pulse.MOST_PER_SERVER, pulse.MOST_PER_SITE
    if not full:
        return _(
            "Of each server at most the first {server} are counted, of all servers below one name at most {site}.",
            server=server,
            site=site,
        )
    return _(
        "Of each server at most the first {server} are counted, of all servers below one name at most {site}; reached by {full}.",
        server=server,
        site=site,
        full=full,
    )


def voice_of(row: Reply, author: Actor | None, limits: Mapping[str, str], moderation: str) -> Voice:
    limited = (
        _("From {server}, which is limited here", server=row.authority) if row.authority in limits else ""
    )
    hidden = _("Hidden by who moderates here") if row.hidden_at else ""
    act = f"{moderation}/replies/{row.id}/{'show' if row.hidden_at else 'hide'}" if moderation else ""
    content = sanitise(row.content)
    return Voice(
        anchor=f"reply-{row.id}",
        author=name_of(author, row.author),
        profile=author.url if author is not None and author.url and is_web(author.url) else row.author,
        at=row.received_at,
        changed=row.updated_at is not None,
        url=row.url or row.uri,
        content=Markup("") if is_blank(content) else Markup(content),
        language=row.language,
        folded=hidden or limited or row.summary or "",
        is_private=not row.is_public,
        is_hidden=row.hidden_at is not None,
        attachments=[Attached(one["url"], one["text"] or _("without a text")) for one in row.attachments],
        act=act,
    )


def name_of(author: Actor | None, uri: str) -> str:
    """@name@host, or the address of an actor that we know no more."""
    return author.address if author is not None else uri


def _quoting(row: Quote, author: Actor | None, moderation: str) -> Quoting:
    act = f"{moderation}/quotes/{row.id}/revoke" if moderation else ""
    return Quoting(name_of(author, row.author), row.quoting, act)


def _reactions(many: Mapping[str, int]) -> str:
    """“3 likes and 1 boost”; emojis are likes in other words."""
    likes = many.get("like", 0) + many.get("emoji", 0)
    said = [ngettext("{n} like", "{n} likes", likes)] if likes else []
    said += [ngettext("{n} boost", "{n} boosts", many["announce"])] if many.get("announce") else []
    return _("{one} and {other}", one=said[0], other=said[1]) if len(said) == 2 else "".join(said)
