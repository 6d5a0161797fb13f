"""A decision for machines: every record with its proof, the texts beside them, and what this instance makes of it.

Everybody can recount from the records alone; `standing` is only this instance's claim. Open to whom the page is open.
"""

from aiohttp import web

from models import ledger
from models.rules.merkle import set_root
from models.rules.records import stamp
from models.rules.view import Standing
from server.keys import HOME
from server.web.decisions import known_decision
from server.web.sessions import reading


async def bundle(request: web.Request) -> web.StreamResponse:
    """The bundle of a decision, records sorted by digest."""
    async with reading(request) as visit:
        known = await known_decision(visit)
        records = await ledger.documents(visit.session, known.scope.id, visit.now)
        rows = await ledger.texts(visit.session, known.scope.id)
    body = {
        "v": 1,
        "type": "Bundle",
        "scope": known.scope.name,
        "from": request.app[HOME].url,
        "at": stamp(visit.now),
        "records": records,
        "texts": ledger.as_carried(rows),
        "redacted": {
            digest: {"by": row.redacted_by, "code": row.redaction_code}
            for digest, row in sorted(rows.items())
            if row.redaction_code is not None
        },
        "standing": summary(known.view, set_root(record.digest for record in known.records)),
    }
    headers = {"Cache-Control": "no-store" if visit.viewer.is_member else "no-cache", "Vary": "Cookie"}
    return web.json_response(body, headers=headers)


def summary(view: Standing, root: str) -> dict[str, object]:
    """What this instance makes of the records: state, outcome, numbers and roots, in the words of a Result record."""
    return {
        "state": view.state,
        "heldBy": list(view.held_by),
        "outcome": view.outcome,
        "winner": view.winner,
        "tied": list(view.tied),
        "numbers": dict(view.numbers),
        "countRoot": view.count_root,
        "lateRoot": view.late_root,
        "terms": view.terms.digest if view.terms else None,
        "setRoot": root,
        "finalAt": stamp(view.final_at) if view.final_at else None,
        "circles": [
            {"circle": one.circle, "collective": one.collective, "status": one.status} for one in view.entries
        ],
        "collectives": [
            {"collective": one.collective, "takes": one.takes, "status": one.status}
            for one in view.collectives
        ],
        "keepers": [{"instance": one.instance, "agrees": one.agrees} for one in view.keepers],
    }
