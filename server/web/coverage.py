"""How many circles and instances were heard, and how many agree, in sentences."""

from models.rules.finality import keepers_needed
from models.rules.view import Standing
from server.language import joined, ngettext


def coverage_words(view: Standing) -> str:
    """Circles that were heard, and instances."""
    if view.round is None:
        return ""
    c, is_open = view.coverage, view.now < view.closes
    said = _cast if is_open else _heard
    told = _acknowledged if is_open else _held
    return joined((said(c.circles_heard, c.circles), told(c.instances_heard, c.instances)))


def _cast(heard: int, of: int) -> str:
    if heard == 1:
        return ngettext("1 of {n} circle has cast a ballot.", "1 of {n} circles has cast a ballot.", of)
    return ngettext(
        "{heard} of {n} circle has cast a ballot.",
        "{heard} of {n} circles have cast a ballot.",
        of,
        heard=heard,
    )


def _heard(heard: int, of: int) -> str:
    if heard == 1:
        return ngettext("1 of {n} circle was heard.", "1 of {n} circles was heard.", of)
    return ngettext("{heard} of {n} circle was heard.", "{heard} of {n} circles were heard.", of, heard=heard)


def _acknowledged(heard: int, of: int) -> str:
    return ngettext(
        "{heard} of {n} instance acknowledged the terms.",
        "{heard} of {n} instances acknowledged the terms.",
        of,
        heard=heard,
    )


def _held(heard: int, of: int) -> str:
    if heard == 1:
        return ngettext(
            "1 of {n} instance said which ballots it holds.",
            "1 of {n} instances said which ballots it holds.",
            of,
        )
    return ngettext(
        "{heard} of {n} instance said which ballots it holds.",
        "{heard} of {n} instances said which ballots they hold.",
        of,
        heard=heard,
    )


def keepers_words(view: Standing) -> str:
    """How many instances keep the records, and how many of them must agree or do."""
    if not view.keepers:
        return ""
    needed = keepers_needed(len(view.keepers))
    if view.now < view.times.grace_ends:
        return ngettext(
            "{n} instance keeps the records. After the voting each counts by itself; {needed} must agree.",
            "{n} instances keep the records. After the voting each counts by itself; {needed} must agree.",
            len(view.keepers),
            needed=needed,
        )
    return ngettext(
        "{agree} of {n} instance agree; {needed} must.",
        "{agree} of {n} instances agree; {needed} must.",
        len(view.keepers),
        agree=sum(one.agrees for one in view.keepers),
        needed=needed,
    )
