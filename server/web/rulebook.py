"""Rules in plain words: what must hold for something to be adopted, with the numbers of this very decision where they are known."""

from collections.abc import Sequence
from typing import Final

from models.rules.finality import keepers_needed
from models.rules.methods import Rule, at_least, more_than
from models.rules.view import Standing
from server.web.moments import plural, short_date

SHARES: Final = {
    (1, 1): "all",
    (1, 2): "half",
    (1, 3): "a third",
    (2, 3): "two thirds",
    (3, 4): "three quarters",
}


def share_words(share: tuple[int, int]) -> str:
    """“half”, “two thirds”, “3/5”."""
    return SHARES.get(share, f"{share[0]}/{share[1]}")


def in_numbers(needed: int, of: int | None) -> str:
    """“: 3 of 6”, where the denominator is known."""
    return "" if of is None else f": {needed} of {of}"


def rules_of(view: Standing) -> Sequence[str]:
    """Every condition as a sentence. Numbers appear once the roll is frozen."""
    count = view.count
    circles = count.circles.of if count else None
    collectives = count.collectives.of if count else None
    joint = len(view.invited) > 1 if collectives is None else collectives > 1
    lines = [_quorum(view.rule, circles), *_method(view, circles)]
    if joint:
        lines += _collectives(view.rule, collectives)
    lines.append("Otherwise things stay as they are.")
    return lines


def _quorum(rule: Rule, circles: int | None) -> str:
    if rule.quorum[0] == 0:
        return "At least one circle takes part."
    needed = at_least(rule.quorum, circles or 0)
    return f"At least {share_words(rule.quorum)} of the circles on the roll take part{in_numbers(needed, circles)}."


def _method(view: Standing, circles: int | None) -> Sequence[str]:
    rule, name = view.rule, view.method.name
    if name == "consent":
        return ["At least one circle consents, and none objects."]
    if name == "approval":
        return [
            "The proposal that most circles approve of is adopted, if more approve of it than of leaving things as they are.",
            "If two proposals are level at the top, it is a tie and neither is adopted.",
        ]
    eligible = rule.base == "eligible"
    whom = "all circles on the roll" if eligible else "the circles that say yes or no"
    needed = (more_than if rule.strict else at_least)(rule.threshold, circles or 0)
    numbers = in_numbers(needed, circles if eligible else None)
    much = "More than" if rule.strict else "At least"
    return [f"{much} {share_words(rule.threshold)} of {whom} say yes{numbers}."]


def _collectives(rule: Rule, collectives: int | None) -> Sequence[str]:
    share, of = share_words(rule.collectives), collectives or 0
    present, agreeing = at_least(rule.collectives, of), more_than(rule.collectives, of)
    return [
        f"Circles of at least {share} of the collectives take part{in_numbers(present, collectives)}.",
        f"In more than {share} of the collectives, their own circles come to the same answer by the same rule"
        f"{in_numbers(agreeing, collectives)}.",
    ]


def ends_of(view: Standing) -> Sequence[str]:
    """When it becomes final, and what happens if not everybody can be heard."""
    times, keepers = view.times, len(view.keepers)
    if keepers == 1 or len(view.invited) == 1:
        final = "One instance keeps the records. It is final when that one has counted"
    elif keepers:
        needed = keepers_needed(keepers)
        final = f"It is final when {needed} of {plural(keepers, 'instance')} that keep the records publish the same count"
    else:
        final = "It is final when two thirds of the instances that keep the records publish the same count"
    return [
        f"{final}, not before {short_date(times.challenge_ends)}.",
        "Circles that could not be heard are never counted as agreeing. If they could change the outcome, it waits for them until "
        f"{short_date(times.wait_ends)}; after that it can only be adopted by those heard, to be ratified by the others.",
    ]
