"""A result in words: what came out, every number with its denominator, why, who is missing, and which instances agree.

Circles that could not be heard are never called agreeing, and nothing is called unanimous.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from models.rules.counting import Count
from models.rules.finality import keepers_needed
from models.rules.phrases import phrase
from models.rules.shapes import STATUS_QUO
from models.rules.view import Standing
from server.language import Words, _, in_a_list, joined, ngettext
from server.web.moments import moment
from server.web.names import Names, Said, Who
from server.web.words import OUTCOMES, STATUSES, Label

SHOWN_IN = ("provisional", "final", "heard", "contested")
THINGS_STAY: Final = Said(phrase("Things stay as they are"))  # in the language of the page


LEADS: Final = Words(
    {
        "adopted": "Adopted",
        "rejected": "Not adopted: things stay as they are",
        "no-quorum": "Too few took part: things stay as they are",
        "tied": "A tie: nothing was adopted",
    }
)
PROVISIONAL: Final = Words(
    {
        "adopted": "Provisional: adopted",
        "rejected": "Provisional: not adopted: things stay as they are",
        "no-quorum": "Provisional: too few took part: things stay as they are",
        "tied": "Provisional: a tie: nothing was adopted",
    }
)
CONTESTED: Final = Words(
    {
        "adopted": "Contested: adopted",
        "rejected": "Contested: not adopted: things stay as they are",
        "no-quorum": "Contested: too few took part: things stay as they are",
        "tied": "Contested: a tie: nothing was adopted",
    }
)
SAID: Final = Words(
    {
        "consent": "Consent",
        "concern": "Consent with a concern",
        "stand-aside": "Stand aside",
        "object": "Object",
        "not-ready": "Are not ready",
        "no-agreement": "Found no agreement inside",
    }
)


@dataclass(frozen=True)
class Line:
    """A number with its denominator, and how many of them were needed if any were."""

    words: str
    part: int
    whole: int
    needed: int | None = None
    title: Said | None = None


@dataclass(frozen=True)
class Missing:
    """Circles that are not in the count, and why."""

    label: Label
    circles: Sequence[tuple[Said, Who]]


@dataclass(frozen=True)
class Keeper:
    """What one instance says that it counted."""

    who: Who
    words: str
    root: str
    agrees: bool
    spoke: bool
    anchor: str


@dataclass(frozen=True)
class Result:
    lead: str
    tone: str
    icon: str
    option: Said | None
    because: str
    waits: Sequence[str]
    lines: Sequence[Line]
    missing: Sequence[Missing]
    root: str
    came_after: bool


def result_of(view: Standing, names: Names) -> Result | None:
    """The result to show, or None while there is none."""
    if view.state not in SHOWN_IN or view.outcome is None:
        return None
    label = OUTCOMES[view.outcome]
    titles = {option.digest: names.title(option["title"]) for option in view.options}
    return Result(
        lead=_lead(view),
        tone="warn" if view.state != "final" else label.tone,
        icon=label.icon,
        option=titles.get(view.winner or "") if view.outcome == "adopted" else None,
        because=_because(view, titles),
        waits=_waits(view, names),
        lines=lines_of(view, view.numbers, titles),
        missing=missing_of(view, names),
        root=view.count_root or "",
        came_after=view.shown.came_after,
    )


def _lead(view: Standing) -> str:
    outcome = view.outcome or ""
    if view.state == "heard":
        return _("Adopted by those heard")
    if view.state == "final":
        return LEADS[outcome]
    return PROVISIONAL[outcome] if view.state == "provisional" else CONTESTED[outcome]


def _because(view: Standing, titles: Mapping[str, Said]) -> str:
    """The rule that decided, in a sentence with numbers."""
    n = view.numbers
    because = _hurdle(view)
    if view.outcome == "no-quorum":
        return _no_quorum(n, collectives=because == "collectives-quorum")
    if view.outcome == "tied":
        level = ", ".join(f"“{titles[one].plain}”" for one in view.tied if one in titles)
        return _("Level at the top: {level}.", level=level) if level else ""
    if because == "collectives":
        return _(
            "Enough circles were in favour, but the circles of only {winning} of {of} collectives "
            "came to that answer; {needed} were needed.",
            winning=n["collectivesWinning"],
            of=n["collectives"],
            needed=n["collectivesNeeded"],
        )
    return {"consent": _by_consent, "majority": _by_majority}.get(view.method.name, _by_approval)(view, n)


def _no_quorum(n: Mapping[str, int], *, collectives: bool) -> str:
    if collectives:
        return _(
            "Circles of {present} of {of} collectives took part; {needed} were needed.",
            present=n["collectivesPresent"],
            of=n["collectives"],
            needed=n["collectivesQuorum"],
        )
    return ngettext(
        "{present} of {n} circle took part; {needed} were needed.",
        "{present} of {n} circles took part; {needed} were needed.",
        n["circles"],
        present=n["circlesPresent"],
        needed=n["circlesQuorum"],
    )


def _hurdle(view: Standing) -> str | None:
    """At which condition it failed, as far as our own count can say."""
    count = view.heard_count if view.state == "heard" else view.count
    return count.because if count and not view.shown.came_after else None


def _by_consent(view: Standing, n: Mapping[str, int]) -> str:
    of, objecting = n["circles"], n.get("said:object", 0)
    willing = n.get("said:consent", 0) + n.get("said:concern", 0)
    if view.outcome == "adopted":
        if willing == 1:
            return ngettext(
                "1 of {n} circle consents, and none of those that took part objects.",
                "1 of {n} circles consents, and none of those that took part objects.",
                of,
            )
        return ngettext(
            "{willing} of {n} circle consent, and none of those that took part objects.",
            "{willing} of {n} circles consent, and none of those that took part objects.",
            of,
            willing=willing,
        )
    if not objecting:
        return _("No circle consents.")
    if objecting == 1:
        return ngettext("1 of {n} circle objects.", "1 of {n} circles objects.", of)
    return ngettext("{part} of {n} circle object.", "{part} of {n} circles object.", of, part=objecting)


def _by_majority(view: Standing, n: Mapping[str, int]) -> str:
    yes, no, needed = n.get("said:yes", 0), n.get("said:no", 0), n["circlesNeeded"]
    said = _on_roll(yes, n["circles"]) if view.rule.base == "eligible" else _of_said(yes, yes + no)
    if needed == 1:
        return _("{said}; 1 was needed.", said=said)
    return _("{said}; {needed} were needed.", said=said, needed=needed)


def _on_roll(yes: int, of: int) -> str:
    if yes == 1:
        return ngettext("1 of {n} circle on the roll says yes", "1 of {n} circles on the roll says yes", of)
    return ngettext(
        "{yes} of {n} circle on the roll say yes", "{yes} of {n} circles on the roll say yes", of, yes=yes
    )


def _of_said(yes: int, of: int) -> str:
    if yes == 1:
        return ngettext(
            "1 of {n} circle that said yes or no says yes",
            "1 of {n} circles that said yes or no says yes",
            of,
        )
    return ngettext(
        "{yes} of {n} circle that said yes or no say yes",
        "{yes} of {n} circles that said yes or no say yes",
        of,
        yes=yes,
    )


def _by_approval(view: Standing, n: Mapping[str, int]) -> str:
    of, stay = n["circles"], n.get(f"said:{STATUS_QUO}", 0)
    if view.outcome == "adopted":
        return ngettext(
            "{part} of {n} circle approve of it; {stay} of {n} of leaving things as they are.",
            "{part} of {n} circles approve of it; {stay} of {n} of leaving things as they are.",
            of,
            part=n["circlesWinning"],
            stay=stay,
        )
    return ngettext(
        "No proposal has more approval than leaving things as they are ({stay} of {n} circle).",
        "No proposal has more approval than leaving things as they are ({stay} of {n} circles).",
        of,
        stay=stay,
    )


def numbers_of(count: Count) -> dict[str, int]:
    """A running count in the names that a Result uses for its numbers."""
    sides = {"circles": count.circles, "collectives": count.collectives}
    numbers = {f"said:{said}": many for said, many in count.tally.items()}
    for name, side in sides.items():
        numbers |= {name: side.of, f"{name}Present": side.present, f"{name}Quorum": side.quorum}
        numbers |= {f"{name}Winning": side.winning, f"{name}Needed": side.needed}
    return numbers


def lines_of(
    view: Standing, n: Mapping[str, int], titles: Mapping[str, Said], *, so_far: bool = False
) -> Sequence[Line]:
    """The numbers, each with its denominator. While it is `so_far`, nothing is said of who comes to which answer."""
    circles, collectives = n["circles"], n["collectives"]
    lines = [Line(_("Circles that took part"), n["circlesPresent"], circles, n.get("circlesQuorum"))]
    if collectives > 1:
        words = _("Collectives whose circles took part")
        lines.append(Line(words, n["collectivesPresent"], collectives, n["collectivesQuorum"]))
    lines += _method_lines(view, n, titles)
    if collectives > 1 and not so_far and (view.outcome == "adopted" or _hurdle(view) == "collectives"):
        words = _("Collectives whose own circles came to this answer")
        lines.append(Line(words, n["collectivesWinning"], collectives, n["collectivesNeeded"]))
    return lines


def _method_lines(view: Standing, n: Mapping[str, int], titles: Mapping[str, Said]) -> Sequence[Line]:
    circles, said = n["circles"], {key[5:]: value for key, value in n.items() if key.startswith("said:")}
    if view.method.name == "approval":
        rows = [Line("", said.get(one.digest, 0), circles, None, titles[one.digest]) for one in view.options]
        return [*rows, Line(_("Leave things as they are"), said.get(STATUS_QUO, 0), circles)]
    if view.method.name == "majority":
        yes, no = said.get("yes", 0), said.get("no", 0)
        eligible = view.rule.base == "eligible"
        words = (
            _("Say yes, of all circles on the roll")
            if eligible
            else _("Say yes, of those that say yes or no")
        )
        first = Line(words, yes, circles if eligible else yes + no, n.get("circlesNeeded"))
        return [first, Line(_("Say no"), no, circles), Line(_("Abstain"), said.get("abstain", 0), circles)]
    always = ("consent", "object")
    return [
        Line(words, said.get(one, 0), circles)
        for one, words in SAID.items()
        if one in always or said.get(one, 0)
    ]


def missing_of(view: Standing, names: Names) -> Sequence[Missing]:
    """By name, the circles whose ballots are late, set aside or not there."""
    found = []
    for status in ("unheard", "late", "set-aside", "silent", "left", "waiting"):
        circles = [
            (names.circle(one.place), names.collective(one.collective))
            for one in view.entries
            if one.status == status and one.takes != "advisory"
        ]
        if circles:
            ordered = sorted(circles, key=lambda one: (one[1].name, one[0].plain))
            found.append(Missing(STATUSES[status], ordered))
    return found


def _waits(view: Standing, names: Names) -> Sequence[str]:
    """What a result that is not final waits for; and what is still to come where it is."""
    said = []
    if view.state == "heard":
        unheard, of = sum(one.status == "unheard" for one in view.entries), len(view.entries)
        words = ngettext(
            "{unheard} of {n} circle could not be heard and are not counted as agreeing.",
            "{unheard} of {n} circles could not be heard and are not counted as agreeing.",
            of,
            unheard=unheard,
        )
        below = _("The numbers below are of the {heard} that were.", heard=of - unheard)
        said.append(joined((words, below)))
    said += [_wait(one, view) for one in view.held_by]
    whom = [
        _("{name} (until {until})", name=names.collective(one.collective).name, until=moment(one.until))
        for one in view.collectives
        if one.status == "ratifying" and one.until is not None
    ]
    return [*said, _("To be ratified by {names}.", names=in_a_list(whom))] if whom else said


def _wait(what: str, view: Standing) -> str:
    if what == "challenge-window":
        until = moment(view.times.challenge_ends)
        return _("Until {until} anybody who takes part can show that the count is wrong.", until=until)
    if what == "agreement":
        return ngettext(
            "{agree} of {n} instance have published this count; {needed} must.",
            "{agree} of {n} instances have published this count; {needed} must.",
            len(view.keepers),
            agree=sum(one.agrees for one in view.keepers),
            needed=keepers_needed(len(view.keepers)),
        )
    if what == "unheard":
        return ngettext(
            "{n} circle that could not be heard could still change the outcome. It waits for them until {until}.",
            "{n} circles that could not be heard could still change the outcome. It waits for them until {until}.",
            view.holding,
            until=moment(view.times.wait_ends),
        )
    return _("A challenge shows, by computation, that the published count is wrong.")


def keepers_of(view: Standing, names: Names) -> Sequence[Keeper]:
    """Each keeper with what it counted."""
    rows = []
    for one in view.keepers:
        if one.contradicts:
            words, root, anchor = _("Published two different results with one number"), "", ""
        elif one.result is None:
            words, root, anchor = _("No result published yet"), "", ""
        else:
            words = OUTCOMES[one.result["outcome"]].words
            root, anchor = one.result["countRoot"], one.result.digest[:12]
        rows.append(
            Keeper(names.instance(one.instance), words, root, one.agrees, one.result is not None, anchor)
        )
    return rows
