"""The page of a decision, from the offer to the final result."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from aiohttp import web

from models import decisions, ledger, notices
from models.decisions import Seat
from models.ledger import Scope
from models.people import Circle
from models.rules.merkle import set_root
from models.rules.records import Record
from models.rules.standing import ENDED, standing
from models.rules.view import Standing
from server.actions.visible import decision_for
from server.language import Words, _
from server.web.chances import aftermath_needs, can_leave, removals_for
from server.web.coverage import coverage_words, keepers_words
from server.web.forms import Form, Problems
from server.web.happening import Lately, latest
from server.web.live import SCRIPT, Live, live_of
from server.web.names import Names, Said, Who, names_of
from server.web.needs import BEFORE, Need, Turn, answer_needed, circle_need, decision_path, proposals_needed
from server.web.outside import Outside, outside_of
from server.web.phases import Phase, now_words, phases_of
from server.web.proposals import ProposalRow, looking_of, proposals_of
from server.web.render import frame_of, page
from server.web.results import SHOWN_IN, Keeper, Line, Result, keepers_of, lines_of, numbers_of, result_of
from server.web.rolls import CollectiveRow, collectives_of, option_titles
from server.web.rulebook import ends_of, rules_of
from server.web.sessions import Visit, reading
from server.web.subjects import Subject, subject_of
from server.web.talking import Glance, Talk, talk_of
from server.web.words import DONE, IGNORED, METHODS, RECORDS, STATES, VISIBILITY, Choice, Label

FEW: Final = 5

# What a challenge holds; without a reason against it, it stands.
CHALLENGES: Final = Words(
    {
        "": "A challenge stands: the published count is wrong.",
        "late": "A challenge came after its window; it holds nothing.",
        "not-held": "A challenge names evidence that is not here; it holds nothing.",
        "not-agreed": "A challenge is about a result that nobody relies on; it holds nothing.",
        "not-verified": "A challenge does not verify: our own count is the one it disputes. It holds nothing.",
    }
)


@dataclass(frozen=True)
class Caveat:
    """Something about the records that readers should know: evidence, objections, challenges, what has no effect."""

    words: str
    digest: str
    text: Said | None = None


@dataclass(frozen=True)
class WithoutEffect:
    """Records that have no effect for one reason: how many, and the first few by digest."""

    words: str
    many: int
    digests: Sequence[str]


@dataclass(frozen=True)
class Tally:
    """Numbers while there is no result yet, or beside it."""

    title: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Notices:
    """Whether the member who looks is told what happens here; the button for the other."""

    is_muted: bool
    action: str


@dataclass(frozen=True)
class DecisionPage:
    name: str
    path: str
    question: Said
    details: Said | None
    convener: Who
    at: datetime
    state: Label
    now_words: str
    done: str
    needs: Sequence[Need]
    may_withdraw: bool
    may_leave: bool
    result: Result | None
    counts: Sequence[Tally]
    room_for: int
    at_least: int
    never_voted: bool
    method: Choice
    rules: Sequence[str]
    ends: Sequence[str]
    collectives: Sequence[CollectiveRow]
    coverage: str
    keepers: Sequence[Keeper]
    keepers_words: str
    phases: Sequence[Phase]
    visibility: Choice
    withdrawn: Caveat | None
    caveats: Sequence[Caveat]
    ignored: Sequence[WithoutEffect]
    set_root: str
    set_size: int
    terms: str
    outside: Outside
    talk: Talk | None
    happened: Lately
    proposals: Sequence[ProposalRow] = ()
    notices: Notices | None = None
    subject: Subject | None = None
    live: Live | None = None


@dataclass(frozen=True)
class Known:
    """A decision with everything that its pages are made from."""

    scope: Scope
    records: list[Record]
    view: Standing
    names: Names

    @property
    def question(self) -> Said:
        return self.names.title(self.view.offer["question"])

    @property
    def path(self) -> str:
        return decision_path(self.scope.name)

    def words_of(self, option: Record) -> tuple[str, str]:
        """The title and details of a version as they are, to be written anew; empty where they are not here."""
        rows = [self.names.texts.get(option.get(name, "")) for name in ("title", "details")]
        title, details = ((row.text if row else None) or "" for row in rows)
        return title, details

    @property
    def turn(self) -> Turn:
        view = self.view
        return Turn(view.state, view.opens, view.closes, view.offer["question"])


async def known_decision(visit: Visit) -> Known:
    """The decision that the address names, if this viewer may see it (else NotFound), as it stands now."""
    return await known_as(visit, await _scope(visit))


async def _scope(visit: Visit) -> Scope:
    return await decision_for(visit.session, visit.viewer, visit.request.match_info["name"])


async def known_as(visit: Visit, scope: Scope) -> Known:
    """The same for a scope that this viewer may see."""
    records = await ledger.records(visit.session, scope.id, visit.now)
    return Known(scope, records, standing(records, visit.now), await names_of(visit.session, scope, records))


async def show(request: web.Request) -> web.StreamResponse:
    answer, look = await show_page(request, Form(), Problems())
    if look is not None:
        await look.note(request)
    return answer


async def show_page(
    request: web.Request, form: Form, problems: Problems, status: int = 200
) -> tuple[web.Response, Glance | None]:
    """The page; with a remark that was not accepted, its words stand where they were typed."""
    async with reading(request) as visit:
        scope = await _scope(visit)
        live = await live_of(visit, scope, status)
        known = await known_as(visit, scope)
        removals = removals_for(visit, known.scope, known.records)
        known = replace(known, names=replace(known.names, removals=removals))
        subject = await subject_of(visit, known.scope.id)
        may_withdraw = _may_withdraw(visit, known) and not (subject and subject.is_me)
        ways_out = may_withdraw, _may_leave(visit, known)
        seat = await _seat(visit, known)
        needs, outside = await _needs(visit, known, seat), await outside_of(visit, known.scope)
        talk, look = await _talk(visit, known, form, problems)
        context = _page(known, needs, ways_out, request.query.get("done", ""), outside, talk)
        circle = await visit.session.get(Circle, seat.circle_id) if seat else None
        looking = looking_of(visit, known.view.offer, circle)
        proposals = proposals_of(known.view, known.names, looking)
        notices_ = await _notices(visit, known, seat)
        context = replace(context, proposals=proposals, notices=notices_, subject=subject, live=live)
        script = SCRIPT if live else ""
        return page(request, frame_of(visit), "decisions/show.html", context, status, script), look


async def _talk(
    visit: Visit, known: Known, form: Form, problems: Problems
) -> tuple[Talk | None, Glance | None]:
    """What the members say to each other about it, for members."""
    if not visit.viewer.is_member:
        return None, None
    return await talk_of(visit, known.scope, known.path, None, form, problems)


async def _seat(visit: Visit, known: Known) -> Seat | None:
    """Where the member who looks sits for it."""
    member = visit.viewer.member
    if member is None or not visit.viewer.is_member:
        return None
    return await decisions.seat_of(visit.session, known.scope.id, member.id)


async def _notices(visit: Visit, known: Known, seat: Seat | None) -> Notices | None:
    """For members who are told what happens here, until it is over, and for those who chose not to be."""
    member = visit.viewer.member
    if member is None or not visit.viewer.is_member:
        return None
    is_muted = await notices.is_muted(visit.session, member.id, known.scope.id)
    if not is_muted and (seat is None or known.view.state in ENDED):
        return None
    act = "unmute" if is_muted else "mute"
    return Notices(is_muted, f"/notices/{act}/{known.scope.name}")


async def _needs(visit: Visit, known: Known, seat: Seat | None) -> Sequence[Need]:
    """What this viewer can do here now."""
    viewer, state = visit.viewer, known.view.state
    if viewer.member is None or not viewer.is_member:
        return []
    found: list[Need] = []
    us = visit.collective.ed25519 or ""
    if state in BEFORE and us not in known.view.answers and viewer.may("convene"):
        found += await answer_needed(visit, known.turn, known.scope)
    if state == "gathering" and (seat is not None or (us in known.view.answers and viewer.may("convene"))):
        found += await proposals_needed(visit, known.turn, known.scope)
    found += await aftermath_needs(visit, known.view, known.scope)
    if seat is not None:
        need = await circle_need(visit, known.turn, known.scope, seat.circle_id)
        words, href = (
            _("What your circle wrote and confirmed stays here, for its eyes."),
            f"{known.path}/circle",
        )
        room = Need(words, href, _("Go to your circle’s room"), known.view.closes, urgent=False)
        found.append(need or room)
    return found


def _may_withdraw(visit: Visit, known: Known) -> bool:
    view = known.view
    ours = view.offer.by == visit.collective.ed25519
    return ours and view.state in BEFORE and visit.now < view.opens and visit.viewer.may("convene")


def _may_leave(visit: Visit, known: Known) -> bool:
    us = visit.collective.ed25519 or ""
    said = any(record.type == "Leave" and record.by == us for record in known.records)
    return visit.viewer.may("convene") and not said and can_leave(known.view, us)


def _page(
    known: Known,
    needs: Sequence[Need],
    ways_out: tuple[bool, bool],
    done: str,
    outside: Outside,
    talk: Talk | None,
) -> DecisionPage:
    view, names, offer = known.view, known.names, known.view.offer
    return DecisionPage(
        name=known.scope.name,
        path=known.path,
        question=known.question,
        details=names.maybe(offer.get("details")),
        convener=names.collective(offer.by),
        at=offer.at,
        state=STATES[view.state],
        now_words=now_words(view),
        done=DONE.get(done, ""),
        needs=needs,
        may_withdraw=ways_out[0],
        may_leave=ways_out[1],
        result=result_of(view, names),
        counts=_counts(view, names),
        room_for=offer["maxOptions"] - len(view.options) if view.state == "gathering" else 0,
        at_least=view.method.options[0],
        never_voted=view.state in ("withdrawn", "lapsed"),
        method=METHODS[view.method.name],
        rules=rules_of(view),
        ends=ends_of(view),
        collectives=collectives_of(view, names),
        coverage=coverage_words(view),
        keepers=keepers_of(view, names),
        keepers_words=keepers_words(view),
        phases=phases_of(view),
        visibility=VISIBILITY[offer["visibility"]],
        withdrawn=_withdrawn(view, names),
        caveats=_caveats(view, names),
        ignored=_ignored(view),
        set_root=set_root(record.digest for record in known.records),
        set_size=len(known.records),
        terms=view.terms.digest if view.terms else "",
        outside=outside,
        talk=talk,
        happened=latest(known.records, view, names),
    )


def _counts(view: Standing, names: Names) -> Sequence[Tally]:
    """How it stands while the voting runs; and what the advisory circles say, apart."""
    found, titles = [], option_titles(view, names)
    if view.count is not None and view.state in ("voting", "closing"):
        found.append(Tally(_("So far"), lines_of(view, numbers_of(view.count), titles, so_far=True)))
    if view.advisory is not None and view.state in ("voting", "closing", *SHOWN_IN):
        numbers = numbers_of(view.advisory) | {"collectives": 1}
        del numbers["circlesQuorum"], numbers["circlesNeeded"]  # what binds nobody needs no majority
        lines = lines_of(view, numbers, titles, so_far=True)
        found.append(Tally(_("Advice: circles that are counted apart and bind nobody"), lines))
    return found


def _withdrawn(view: Standing, names: Names) -> Caveat | None:
    one = view.withdrawn
    return Caveat(_("Taken back"), one.digest, names.maybe(one.get("reason"))) if one else None


def _caveats(view: Standing, names: Names) -> Sequence[Caveat]:
    said = [
        Caveat(
            _("{name} signed these terms, and others too.", name=names.collective(one.by).name), one.digest
        )
        for one in view.double_terms
    ]
    for one in view.terms_objections:
        name, record = names.instance(one.by).name, one["missing"][:12]
        words = _("{name}: the terms leave out a record ({record}).", name=name, record=record)
        said.append(Caveat(words, one.digest))
    for challenged in view.challenges:
        said.append(Caveat(CHALLENGES[challenged.why or ""], challenged.record.digest))
    for row in view.collectives:
        if row.left is not None:
            words = _("{name} left the decision.", name=names.collective(row.collective).name)
            said.append(Caveat(words, row.left.record.digest, names.maybe(row.left.record.get("reason"))))
    for one in view.objections:
        said.append(
            Caveat(_("A circle that had not been heard objects."), one.digest, names.said(one["reason"]))
        )
    return said


def _ignored(view: Standing) -> Sequence[WithoutEffect]:
    """Records that are here and have no effect, by reason."""
    by_reason: dict[str, list[str]] = {}
    for one in view.ignored:
        words = _(
            "{record} {reason}", record=RECORDS[one.record.type], reason=IGNORED.get(one.code, one.code)
        )
        by_reason.setdefault(words, []).append(one.record.digest)
    return [WithoutEffect(words, len(found), found[:FEW]) for words, found in sorted(by_reason.items())]
