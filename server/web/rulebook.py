"""Rules in plain words: what must hold for something to be adopted, with the numbers of this very decision where they are known."""

from collections.abc import Sequence
from typing import Final

from models.rules.finality import keepers_needed
from models.rules.methods import Rule, at_least, more_than
from models.rules.view import Standing
from server.language import Words, _, ngettext
from server.web.moments import moment

# A share with “of the circles” and the like behind it.
SHARES: Final = Words(
    {"1/1": "all", "1/2": "half", "1/3": "a third", "2/3": "two thirds", "3/4": "three quarters"}
)


def share_words(share: tuple[int, int]) -> str:
    """“half”, “two thirds”, “3/5”."""
    name = f"{share[0]}/{share[1]}"
    return SHARES.get(name, name)


def in_numbers(needed: int, of: int | None) -> str:
    """“: 3 of 6”, where the denominator is known."""
    return "" if of is None else _(": {needed} of {of}", needed=needed, of=of)


def rules_of(view: Standing) -> Sequence[str]:
    """Every condition as a sentence. Numbers appear once the roll is frozen."""
    count = view.count
    circles = count.circles.of if count else None
    collectives = count.collectives.of if count else None
    joint = len(view.invited) > 1 if collectives is None else collectives > 1
    lines = [_quorum(view.rule, circles), *_method(view, circles)]
    if joint:
        lines += _collectives(view.rule, collectives)
    lines.append(_("Otherwise things stay as they are."))
    return lines


def _quorum(rule: Rule, circles: int | None) -> str:
    if rule.quorum[0] == 0:
        return _("At least one circle takes part.")
    needed = at_least(rule.quorum, circles or 0)
    if rule.quorum[0] == rule.quorum[1]:
        return _("All circles on the roll take part{numbers}.", numbers=in_numbers(needed, circles))
    return _(
        "At least {share} of the circles on the roll take part{numbers}.",
        share=share_words(rule.quorum),
        numbers=in_numbers(needed, circles),
    )


def _method(view: Standing, circles: int | None) -> Sequence[str]:
    name = view.method.name
    if name == "consent":
        return [_("At least one circle consents, and none objects.")]
    if name == "approval":
        return [
            _(
                "The proposal that most circles approve of is adopted, if more approve of it than of leaving things as they are."
            ),
            _("If two proposals are level at the top, it is a tie and neither is adopted."),
        ]
    return [_majority(view.rule, circles)]


def _majority(rule: Rule, circles: int | None) -> str:
    eligible, share = rule.base == "eligible", share_words(rule.threshold)
    needed = (more_than if rule.strict else at_least)(rule.threshold, circles or 0)
    numbers = in_numbers(needed, circles if eligible else None)
    if rule.strict and eligible:
        return _(
            "More than {share} of all circles on the roll say yes{numbers}.", share=share, numbers=numbers
        )
    if rule.strict:
        return _("More than {share} of the circles that say yes or no say yes.", share=share)
    if eligible:
        return _(
            "At least {share} of all circles on the roll say yes{numbers}.", share=share, numbers=numbers
        )
    return _("At least {share} of the circles that say yes or no say yes.", share=share)


def _collectives(rule: Rule, collectives: int | None) -> Sequence[str]:
    share, of = share_words(rule.collectives), collectives or 0
    present, agreeing = at_least(rule.collectives, of), more_than(rule.collectives, of)
    return [
        _(
            "Circles of at least {share} of the collectives take part{numbers}.",
            share=share,
            numbers=in_numbers(present, collectives),
        ),
        _(
            "In more than {share} of the collectives, their own circles come to the same answer by the same rule{numbers}.",
            share=share,
            numbers=in_numbers(agreeing, collectives),
        ),
    ]


def ends_of(view: Standing) -> Sequence[str]:
    """When it becomes final, and what happens if not everybody can be heard."""
    return [
        _ends(view, moment(view.times.challenge_ends)),
        _(
            "Circles that could not be heard are never counted as agreeing. If they could change the outcome, it waits for them "
            "until {until}; after that it can only be adopted by those heard, to be ratified by the others.",
            until=moment(view.times.wait_ends),
        ),
    ]


def _ends(view: Standing, first: str) -> str:
    keepers = len(view.keepers)
    if keepers == 1 or len(view.invited) == 1:
        return _(
            "One instance keeps the records. It is final when that one has counted, not before {first}.",
            first=first,
        )
    if not keepers:
        return _(
            "It is final when two thirds of the instances that keep the records publish the same count, not before {first}.",
            first=first,
        )
    return ngettext(
        "It is final when {needed} of {n} instance that keep the records publish the same count, not before {first}.",
        "It is final when {needed} of {n} instances that keep the records publish the same count, not before {first}.",
        keepers,
        needed=keepers_needed(keepers),
        first=first,
    )
