"""A result in words: what came out, every number with its denominator, why, who is missing, and which instances agree.

Circles that could not be heard are never called agreeing, and nothing is called unanimous.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.rules.counting import Count
from models.rules.finality import keepers_needed
from models.rules.shapes import STATUS_QUO
from models.rules.view import Standing
from server.web.moments import plural, short_date, verb
from server.web.names import Names, Said, Who
from server.web.words import OUTCOMES, STATUSES, Label

SHOWN_IN = ("provisional", "final", "heard", "contested")
THINGS_STAY = Said("Things stay as they are", "en")


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
        lead=_lead(view, label),
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


def _lead(view: Standing, label: Label) -> str:
    words = {
        "adopted": "Adopted",
        "rejected": "Not adopted: things stay as they are",
        "no-quorum": "Too few took part: things stay as they are",
        "tied": "A tie: nothing was adopted",
    }[view.outcome or ""]
    if view.state == "heard":
        return "Adopted by those heard"
    if view.state == "final":
        return words
    first = "Provisional" if view.state == "provisional" else "Contested"
    return f"{first}: {words[0].lower()}{words[1:]}"


def _because(view: Standing, titles: Mapping[str, Said]) -> str:
    """The rule that decided, in a sentence with numbers."""
    n = view.numbers
    because = _hurdle(view)
    if view.outcome == "no-quorum":
        if because == "collectives-quorum":
            present, of = n["collectivesPresent"], n["collectives"]
            return (
                f"Circles of {present} of {of} collectives took part; {n['collectivesQuorum']} were needed."
            )
        return f"{n['circlesPresent']} of {plural(n['circles'], 'circle')} took part; {n['circlesQuorum']} were needed."
    if view.outcome == "tied":
        level = [titles[one].plain for one in view.tied if one in titles]
        return f"Level at the top: {', '.join(f'“{one}”' for one in level)}." if level else ""
    if because == "collectives":
        return (
            f"Enough circles were in favour, but the circles of only {n['collectivesWinning']} of {n['collectives']} collectives "
            f"came to that answer; {n['collectivesNeeded']} were needed."
        )
    return _method_because(view, n)


def _hurdle(view: Standing) -> str | None:
    """At which condition it failed, as far as our own count can say."""
    count = view.heard_count if view.state == "heard" else view.count
    return count.because if count and not view.shown.came_after else None


def _method_because(view: Standing, n: Mapping[str, int]) -> str:
    adopted, name, of = view.outcome == "adopted", view.method.name, n["circles"]
    if name == "consent":
        objecting = n.get("said:object", 0)
        willing = n.get("said:consent", 0) + n.get("said:concern", 0)
        if adopted:
            consent = verb(willing, "consents", "consent")
            return f"{willing} of {plural(of, 'circle')} {consent}, and none of those that took part objects."
        objects = verb(objecting, "objects", "object")
        return f"{objecting} of {plural(of, 'circle')} {objects}." if objecting else "No circle consents."
    if name == "majority":
        yes, no = n.get("said:yes", 0), n.get("said:no", 0)
        base = of if view.rule.base == "eligible" else yes + no
        whom = "on the roll" if view.rule.base == "eligible" else "that said yes or no"
        return (
            f"{yes} of {plural(base, 'circle')} {whom} {verb(yes, 'says', 'say')} yes; "
            f"{n['circlesNeeded']} {verb(n['circlesNeeded'], 'was', 'were')} needed."
        )
    stay = n.get(f"said:{STATUS_QUO}", 0)
    if adopted:
        return f"{n['circlesWinning']} of {plural(of, 'circle')} approve of it; {stay} of {of} of leaving things as they are."
    return (
        f"No proposal has more approval than leaving things as they are ({stay} of {plural(of, 'circle')})."
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
    lines = [Line("Circles that took part", n["circlesPresent"], circles, n.get("circlesQuorum"))]
    if collectives > 1:
        words = "Collectives whose circles took part"
        lines.append(Line(words, n["collectivesPresent"], collectives, n["collectivesQuorum"]))
    lines += _method_lines(view, n, titles)
    if collectives > 1 and not so_far and (view.outcome == "adopted" or _hurdle(view) == "collectives"):
        words = "Collectives whose own circles came to this answer"
        lines.append(Line(words, n["collectivesWinning"], collectives, n["collectivesNeeded"]))
    return lines


def _method_lines(view: Standing, n: Mapping[str, int], titles: Mapping[str, Said]) -> Sequence[Line]:
    circles, said = n["circles"], {key[5:]: value for key, value in n.items() if key.startswith("said:")}
    if view.method.name == "approval":
        rows = [Line("", said.get(one.digest, 0), circles, None, titles[one.digest]) for one in view.options]
        return [*rows, Line("Leave things as they are", said.get(STATUS_QUO, 0), circles)]
    if view.method.name == "majority":
        yes, no = said.get("yes", 0), said.get("no", 0)
        eligible = view.rule.base == "eligible"
        words = "Say yes, of all circles on the roll" if eligible else "Say yes, of those that say yes or no"
        first = Line(words, yes, circles if eligible else yes + no, n.get("circlesNeeded"))
        return [first, Line("Say no", no, circles), Line("Abstain", said.get("abstain", 0), circles)]
    words_of = {
        "consent": "Consent",
        "concern": "Consent with a concern",
        "stand-aside": "Stand aside",
        "object": "Object",
        "not-ready": "Are not ready",
        "no-agreement": "Found no agreement inside",
    }
    always = ("consent", "object")
    return [
        Line(words, said.get(one, 0), circles)
        for one, words in words_of.items()
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
    times = view.times
    said = []
    if view.state == "heard":
        unheard = sum(one.status == "unheard" for one in view.entries)
        said.append(
            f"{unheard} of {plural(len(view.entries), 'circle')} could not be heard and are not counted as agreeing. "
            f"The numbers below are of the {len(view.entries) - unheard} that were."
        )
    agree, needed = sum(one.agrees for one in view.keepers), keepers_needed(len(view.keepers))
    sentences = {
        "challenge-window": f"Until {short_date(times.challenge_ends)} anybody who takes part can show that the count is wrong.",
        "agreement": f"{agree} of {plural(len(view.keepers), 'instance')} have published this count; {needed} must.",
        "unheard": f"{plural(view.holding, 'circle')} that could not be heard could still change the outcome. It waits for "
        f"them until {short_date(times.wait_ends)}.",
        "challenge": "A challenge shows, by computation, that the published count is wrong.",
    }
    said += [sentences[one] for one in view.held_by]
    whom = [
        f"{names.collective(one.collective).name} (until {short_date(one.until)})"
        for one in view.collectives
        if one.status == "ratifying" and one.until is not None
    ]
    return [*said, f"To be ratified by {', '.join(whom)}."] if whom else said


def keepers_of(view: Standing, names: Names) -> Sequence[Keeper]:
    """Each keeper with what it counted."""
    rows = []
    for one in view.keepers:
        if one.contradicts:
            words, root, anchor = "Published two different results with one number", "", ""
        elif one.result is None:
            words, root, anchor = "No result published yet", "", ""
        else:
            words = OUTCOMES[one.result["outcome"]].words
            root, anchor = one.result["countRoot"], one.result.digest[:12]
        rows.append(
            Keeper(names.instance(one.instance), words, root, one.agrees, one.result is not None, anchor)
        )
    return rows
