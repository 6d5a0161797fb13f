"""What notices say, on pages and in e-mail, and how an e-mail is put together: plain text and the same as simple HTML.

E-mail passes through others' hands. The question of a decision that is not public never stands in one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from models.rules.phrases import phrase
from server.language import LANGUAGE, said_in

DECISION: Final = "/decisions/{name}"
PROPOSALS: Final = "/decisions/{name}#proposals"
ROOM: Final = "/decisions/{name}/circle"
MOST_LINES: Final = 50


@dataclass(frozen=True)
class Kind:
    """A sentence, and where to go; `{name}` is that of the decision."""

    words: str
    path: str
    subject: str = ""  # of a mail that is sent at once


KINDS: Final[Mapping[str, Kind]] = {
    "seat": Kind(phrase("Your circle takes part in a decision."), DECISION),
    "offer": Kind(
        phrase("Your collective is invited to decide together, and has not answered."),
        "/decisions/{name}/answer",
    ),
    "amendment": Kind(
        phrase("Somebody would change a proposal of yours, and waits for an answer."), PROPOSALS
    ),
    "concern": Kind(phrase("A circle has a concern about a proposal of yours."), PROPOSALS),
    "changed": Kind(phrase("A proposal that your circle supported has changed. Does it still?"), PROPOSALS),
    "draft": Kind(phrase("A draft of your circle’s ballot waits for confirmations."), ROOM),
    "closing": Kind(
        phrase("The voting closes soon, and your circle has published no ballot."),
        ROOM,
        phrase("Your circle’s ballot is due"),
    ),
    "ballot": Kind(phrase("Your circle’s ballot is published."), DECISION),
    "objection": Kind(phrase("A circle objects."), DECISION, phrase("A circle objects")),
    "provisional": Kind(phrase("The ballots are counted. The result is provisional."), DECISION),
    "result": Kind(phrase("The decision is over, and its result stands."), DECISION),
    "ended": Kind(phrase("The decision ended without a result."), DECISION),
    "recall": Kind(
        phrase("A mandate of yours was recalled."), "/me", phrase("A mandate of yours was recalled")
    ),
    "mandate-over": Kind(phrase("A mandate of yours has ended."), "/me"),
    "asked": Kind(phrase("Somebody asks to join."), "/people/requests"),
    "removal": Kind(phrase("All circles are asked whether you stay a member."), DECISION),
    "recovery": Kind(phrase("Somebody made a link to log in as you."), "/me"),
    "recovery-mail": Kind(phrase("Somebody asked for an e-mail with a link to log in as you."), "/me"),
    "password-changed": Kind(phrase("Your password was changed."), "/me/logins"),
    "passkey-added": Kind(phrase("A passkey was added to your account."), "/me/passkeys"),
    "passkey-removed": Kind(phrase("A passkey was removed from your account."), "/me/passkeys"),
    "second-off": Kind(phrase("Your second factor was turned off."), "/me/second"),
    "mail-changed": Kind(phrase("Your e-mail address was changed."), "/me/mail"),
    "mail-forgotten": Kind(phrase("Your e-mail address was forgotten."), "/me/mail"),
    "remark-hidden": Kind(phrase("Who moderates has hidden a remark of yours."), "/decisions/{name}#talk"),
}


@dataclass(frozen=True)
class Line:
    """One notice in an e-mail. `about` is the question, where everybody may read it; `when` says until when there is time."""

    words: str
    about: str
    when: str
    link: str


@dataclass(frozen=True)
class Written:
    """An e-mail as it is read."""

    subject: str
    text: str
    html: str


def confirming(name: str, link: str) -> Written:
    """The mail that shows that an address is its member's."""
    intro = [
        phrase("Somebody asked {name} to send e-mail to this address.", name=name),
        phrase("If that was you, open the link within a day, while you are logged in:"),
    ]
    outro = [phrase("If it was not you, do nothing. You then get no more e-mail from us.")]
    subject = phrase("Confirm your e-mail address for {name}", name=name)
    return written(subject, intro, [Line("", "", "", link)], outro)


def telling(name: str, subject: str, lines: Sequence[Line], settings: str, stop: str) -> Written:
    """A mail with one or more notices."""
    shown, rest = lines[:MOST_LINES], len(lines) - MOST_LINES
    outro = [
        phrase("Choose what you get by e-mail: {link}", link=settings),
        phrase("Get no more e-mail: {link}", link=stop),
    ]
    if rest > 0:
        outro.insert(0, phrase("There is more than this mail tells ({n}); your notices have it all.", n=rest))
    return written(f"{said_in(subject)} ({name})", [], shown, outro)


def written(subject: str, intro: Sequence[str], lines: Sequence[Line], outro: Sequence[str]) -> Written:
    """The mail in the language that is read now (`server.language.speaking`)."""
    subject, intro, outro = said_in(subject), [*map(said_in, intro)], [*map(said_in, outro)]
    blocks = [[said_in(part) for part in (one.words, one.about, one.when, one.link) if part] for one in lines]
    text = [*intro, *("\n".join(block) for block in blocks)]
    text += ["-- \n" + "\n".join(outro)] if outro else []
    html = [Markup("<p>{}</p>").format(part) for part in intro]
    html += [_html(one) for one in lines]
    html += [Markup("<hr>")] if outro else []
    html += [Markup("<p><small>{}</small></p>").format(part) for part in outro]
    page = Markup(
        '<!doctype html><html lang="{}"><meta charset="utf-8"><title>{}</title><body>{}</body></html>'
    )
    return Written(
        _one_line(subject),
        "\n\n".join(text) + "\n",
        page.format(LANGUAGE.get(), subject, Markup("\n").join(html)),
    )


def _html(line: Line) -> Markup:
    parts = [Markup("{}").format(said_in(part)) for part in (line.words, line.when) if part]
    if line.about:
        parts.insert(1, Markup("<q>{}</q>").format(said_in(line.about)))
    parts.append(Markup('<a href="{0}">{0}</a>').format(line.link))
    return Markup("<p>{}</p>").format(Markup("<br>").join(parts))


def _one_line(text: str) -> str:
    """A subject: no line ends, and not too long."""
    return " ".join(text.split())[:200]
