"""A scope as other participants compare it with theirs, and pull from it what they lack.

The head says root and count, and the same for each of sixteen buckets (first hex digit of a record's digest); a page holds the
next records of one bucket, each with the texts it names. Only participants who sign may ask, unless the scope is public.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from activitypub import codec, vocabulary
from models import ledger
from models.ledger import RecordRow, Scope
from models.rules import merkle
from models.rules.records import Record, read_again
from server import translate
from server.keys import CLOCK, DATABASE, HOME
from server.peers.actors import VARY, answer
from server.peers.callers import may_read

PAGE_RECORDS: Final = 100
PAGE_BYTES: Final = 700_000  # of records and texts: the page stays below what others read
DIGEST: Final = 64


async def scope(request: web.Request) -> web.Response:
    """GET of a scope's head, or with `?bucket=` of a page."""
    app, name = request.app, request.match_info["name"]
    async with app[DATABASE].READ() as session:
        row = await ledger.scope_named(session, name)
    if not await may_read(request, row) or row is None:
        raise web.HTTPNotFound(headers=VARY)
    if "bucket" not in request.query:
        return answer(await _head(app, row), public=row.visibility == "public")
    bucket, after = request.query["bucket"], request.query.get("after", "")
    if bucket not in merkle.HEX or len(bucket) != 1 or not _may_follow(after):
        raise web.HTTPNotFound(headers=VARY)
    return answer(await _page(app, row, bucket, after), public=row.visibility == "public")


async def _head(app: web.Application, row: Scope) -> codec.Json:
    async with app[DATABASE].READ() as session:
        digests = await ledger.digests(session, row.id, app[CLOCK].now())
    uri, buckets = translate.scope_uri(app[HOME], row.name), merkle.buckets(digests)
    head = {
        "v": 1,
        "type": "Head",
        "scope": row.name,
        "root": merkle.set_root(digests),
        "count": len(digests),
        "buckets": {digit: list(entry) for digit, entry in buckets.items()},
    }
    first = f"{uri}?bucket={min(buckets)}" if buckets else None
    return vocabulary.ordered_collection(uri, total=len(digests), first=first, record=head)


async def _page(app: web.Application, row: Scope, bucket: str, after: str) -> codec.Json:
    """Up to 100 records of a bucket, fewer if they are long; `next` while there are more."""
    async with app[DATABASE].READ() as session:
        rows = await ledger.bucket_page(session, row.id, bucket, after, PAGE_RECORDS + 1, app[CLOCK].now())
        named = {each.digest: read_again(each.document, each.digest) for each in rows}
        wanted = {digest for record in named.values() for digest in record.texts()}
        texts = ledger.as_carried(await ledger.texts(session, row.id, wanted))
    items = _fitting(rows[:PAGE_RECORDS], named, texts)
    uri = translate.scope_uri(app[HOME], row.name)
    here = f"{uri}?bucket={bucket}" + (f"&after={after}" if after else "")
    more = len(items) < len(rows)
    following = f"{uri}?bucket={bucket}&after={rows[len(items) - 1].digest}" if more else None
    return vocabulary.ordered_collection_page(here, uri, items, following)


def _fitting(
    rows: Sequence[RecordRow], named: Mapping[str, Record], texts: Mapping[str, Mapping[str, Any]]
) -> list[codec.Json]:
    """As many records with their texts as fit on a page, at least one."""
    items: list[codec.Json] = []
    room = PAGE_BYTES
    for row in rows:
        beside = {digest: dict(texts[digest]) for digest in named[row.digest].texts() if digest in texts}
        item = vocabulary.quiet_object([row.document], beside)
        room -= len(codec.encode(item))
        if items and room < 0:
            break
        items.append(item)
    return items


def _may_follow(after: str) -> bool:
    return not after or (len(after) == DIGEST and set(after) <= set(merkle.HEX))
