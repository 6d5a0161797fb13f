"""Rubbish at the doors: whatever is sent, the answer is a refusal and never a 500, nothing hangs, and the server goes on.

`make fuzz` gives it more rounds (`JURA_TEST_EXAMPLES`); a short run is part of the tests.
"""

import asyncio
import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict
from sqlalchemy import select

from activitypub import codec, signatures
from activitypub.errors import WireError
from models.queues import InboxItem
from server.workers.inbox import inbox_due
from tests.server.peers.world import Person, World, numbers

EXAMPLES = int(os.environ.get("JURA_TEST_EXAMPLES", "60"))
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=2_000,  # of one example, in milliseconds: nothing that is sent may take long
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
    derandomize="JURA_TEST_EXAMPLES" not in os.environ,
)
OAK = "http://oak.test/c/oak"
TYPES = (
    *("Create", "Update", "Delete", "Follow", "Undo", "Accept", "Reject", "Announce", "Like", "Flag", "Move"),
    *("Block", "Add", "Remove", "Offer", "QuoteRequest", "EmojiReact", "View", "Question", "", "Note"),
)
NAMES = (
    *("id", "type", "actor", "object", "to", "cc", "target", "attributedTo", "inReplyTo", "content", "name"),
    *(
        "contentMap",
        "tag",
        "attachment",
        "url",
        "published",
        "oneOf",
        "anyOf",
        "replies",
        "proof",
        "signature",
    ),
    *("@context", "jura:record", "jura:texts", "summary", "sensitive", "votersCount", "quote", "instrument"),
)

SIGNATURES = (
    'sig1=("@method" "@target-uri");created=1;keyid="x"',
    "sig1=:AAAA:",
    'keyId="x",headers="date",signature="AA=="',
    "sig1=()",
    '="',
)

uris = st.sampled_from(
    (
        *(OAK, "http://masto.test/users/ana", "http://masto.test/1", "as:Public", "", "urn:x", "http://["),
        *(
            "https://www.w3.org/ns/activitystreams#Public",
            "javascript:alert(1)",
            "http://masto.test/" + "a" * 3000,
        ),
        "http://a:b@masto.test:99999/",
    )
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=30), uris,
    st.sampled_from(["2026-11-22T10:00:00Z", "0000-00-00T99:99:99", "<p>x</p>" * 50, "\ud800", "\x00", "@ana@masto.test"]),
)  # fmt: skip
values: Any = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=20,
)
activities = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES) | values, "object": values},
    optional={name: values for name in NAMES if name not in ("type", "object", "actor", "id")},
)


def written(document: Any) -> bytes:
    """As JSON, also what no writer should write."""
    return orjson.dumps(_plain(document))


def _plain(value: Any) -> Any:
    """What orjson can write: rubbish of other kinds is sent as bytes."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**63 - 1:
        return str(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


@BOUNDED
@given(st.binary(max_size=300) | activities.map(written))
def test_the_codec_reads_or_refuses(body: bytes) -> None:
    try:
        codec.tidy(codec.decode(body))
    except WireError:
        return


@BOUNDED
@given(
    st.dictionaries(
        st.sampled_from(["Signature", "Signature-Input", "Date", "Digest", "Content-Digest", "Host"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=200)
        | st.sampled_from(SIGNATURES)
        ,
        max_size=6,
    )
)  # fmt: skip
def test_headers_of_signatures_are_read_or_refused(headers: dict[str, str]) -> None:
    try:
        signatures.read_signature(CIMultiDict(headers))
    except WireError:
        return


def test_an_inbox_and_its_handlers_take_or_refuse_whatever_is_signed(tmp_path: Path, founded: Path) -> None:
    """Also afterwards, when it is handled: nothing is put off for a mistake of ours."""
    with asyncio.Runner() as runner:
        world = World("oak", folder=tmp_path, founded=founded)
        runner.run(world.__aenter__())
        try:
            ana = runner.run(world.stranger("masto")).person("ana")

            @BOUNDED
            @given(activities)
            def deliver(document: dict[str, Any]) -> None:
                runner.run(_deliver(world, ana, document))

            deliver()
            runner.run(_goes_on(world, ana))
        finally:
            runner.run(world.__aexit__(None, None, None))


async def _deliver(world: World, ana: Person, document: dict[str, Any]) -> None:
    body = written({"id": f"{ana.uri}/fuzz/{next(numbers)}", "actor": ana.uri, **document})
    inbox = "http://oak.test/inbox"
    world.clock.advance(timedelta(seconds=1))
    headers = world.signed("POST", inbox, body, ana)
    status, _, _ = await world.request("POST", inbox, headers=headers, body=body)
    assert status in (202, 400, 401, 403, 413, 429), (status, body)
    await inbox_due(world.of().app)
    async with world.database().READ() as session:
        put_off = select(InboxItem.reason).where(InboxItem.outcome.is_(None), InboxItem.reason.is_not(None))
        mistakes = [r for r in await session.scalars(put_off) if r is not None and "Error:" in r]
    assert mistakes == [], body


async def _goes_on(world: World, ana: Person) -> None:
    """After all that, one who behaves is heard."""
    world.clock.advance(timedelta(hours=1))
    assert await world.tell(ana, ana.activity("Follow", object=OAK)) == "done"


def test_webfinger_answers_or_refuses_any_query(tmp_path: Path, founded: Path) -> None:
    with asyncio.Runner() as runner:
        world = World("oak", folder=tmp_path, founded=founded)
        runner.run(world.__aenter__())
        try:

            @BOUNDED
            @given(
                st.text(max_size=80)
                | st.sampled_from(["acct:oak@oak.test", "acct:@@", "http://[", "acct:oak@"])
            )
            def ask(resource: str) -> None:
                query = quote(resource.encode("utf-8", "replace"), safe="")
                url = f"http://oak.test/.well-known/webfinger?resource={query}"
                status, _, _ = runner.run(world.request("GET", url))
                assert status in (200, 400, 404, 410), resource

            ask()
        finally:
            runner.run(world.__aexit__(None, None, None))
