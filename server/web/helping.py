"""Help: questions people have, with answers, and the words that the pages use."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from models.rules.phrases import phrase
from server.language import said_in
from server.web.render import frame_of, page
from server.web.sessions import reading


@dataclass(frozen=True)
class Part:
    anchor: str
    title: str
    answers: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class HelpPage:
    parts: Sequence[Part]
    words: Sequence[tuple[str, str]]


async def help_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        words = sorted((said_in(word), said_in(meaning)) for word, meaning in WORDS)
        return page(request, frame_of(visit), "about/help.html", HelpPage(PARTS, words))


PARTS: Final = (
    Part(
        "taking-part",
        phrase("Taking part"),
        (
            (
                phrase("What do I have to do?"),
                phrase(
                    "The first page lists what your circle needs from you now. Open the decision, go to your circle, "
                    "say where you stand, help to write the one ballot, and confirm it. When two thirds of the circle"
                    " have confirmed the same draft, it is published as your circle’s ballot."
                ),
            ),
            (
                phrase("Who sees where I stand?"),
                phrase(
                    "Only the members of your circle, and whoever can read this server’s database. Your position "
                    "never leaves this server. The published ballot names the circle and how many confirmed it, never"
                    " who."
                ),
            ),
            (
                phrase("I confirmed and changed my mind. What now?"),
                phrase(
                    "Until your circle’s ballot is published you can take your confirmation back. After that the "
                    "circle can write a new draft; once two thirds confirm it, it replaces the ballot. This works "
                    "until the voting closes."
                ),
            ),
            (
                phrase("What if I am away?"),
                phrase(
                    "Your circle can decide without you: two thirds are enough. If nobody of the circle casts a "
                    "ballot, the circle is shown as silent. Silence is never counted as agreement."
                ),
            ),
            (
                phrase("Which circle am I in?"),
                phrase(
                    "With fewer than six members the whole collective is one circle, the assembly. From six members "
                    "on, circles of three to five are dealt for each decision. The decision’s page shows yours."
                ),
            ),
        ),
    ),
    Part(
        "counting",
        phrase("Counting"),
        (
            (
                phrase("How do I know that the result is right?"),
                phrase(
                    "Every instance that takes part counts the same signed records by itself, and shows the root of "
                    "what it counted. If the roots are the same, so is what was counted. You can download the records"
                    " from the decision’s page and count again on your own computer with the command jura verify, "
                    "without any network."
                ),
            ),
            (
                phrase("Why is it not final yet?"),
                phrase(
                    "After the voting closes there is a time for late receipts and for challenges. A result is final "
                    "when that time is over, two thirds of the instances agree, and no circle that nobody heard could"
                    " still change it. The decision’s page says what it waits for, and until when."
                ),
            ),
            (
                phrase("What is the poll that people see on Mastodon?"),
                phrase(
                    "The pulse: a question to everybody who follows. It is a sign of what others think. It is shown "
                    "apart and is never part of the count."
                ),
            ),
        ),
    ),
    Part(
        "power",
        phrase("Power"),
        (
            (
                phrase("Who is the administrator?"),
                phrase(
                    "Nobody. What a person may do here is lent to them as a mandate: for a purpose, until a date. "
                    "When it ends, it ends by itself. The founder’s mandate ends after 30 days. The collective’s "
                    "profile shows every mandate."
                ),
            ),
            (
                phrase("I am told that I need a mandate."),
                phrase(
                    "What you want to do takes a power that is lent as a mandate. Who holds which mandate now stands "
                    "on the collective’s profile: ask one of them to do it."
                ),
            ),
        ),
    ),
)

WORDS: Final = (
    (
        phrase("answer"),
        phrase(
            "How a collective takes part in a decision that it was invited to: binding, advisory or ratifying; or it "
            "declines."
        ),
    ),
    (
        phrase("ballot"),
        phrase(
            "A circle’s signed position and its reason. One for each circle and round; the last one before close "
            "counts."
        ),
    ),
    (
        phrase("change of a proposal"),
        phrase(
            "Another version of a proposal, written by a circle. Whoever made the proposal takes it in, and then it is voted on, "
            "or declines it and says why."
        ),
    ),
    (
        phrase("charter"),
        phrase(
            "What a collective asks at least of every decision it convenes: times, quorum, majority. Only a decision "
            "changes it."
        ),
    ),
    (
        phrase("circle"),
        phrase("Three to five members who talk in private and speak with one ballot."),
    ),
    (
        phrase("collective"),
        phrase("The group whose server this is."),
    ),
    (
        phrase("decision"),
        phrase("A matter to be decided: a question, a method, terms, rounds."),
    ),
    (
        phrase("instance"),
        phrase("One running server. It is home to exactly one collective."),
    ),
    (
        phrase("keeper"),
        phrase("An instance that holds all records of a decision and signs what it held when."),
    ),
    (
        phrase("mandate"),
        phrase(
            "Power that was lent: what for, to whom, until when. It ends by itself and can be taken back."
        ),
    ),
    (
        phrase("offer"),
        phrase("The terms that the convening collective proposes to the others."),
    ),
    (
        phrase("peer"),
        phrase("Another server."),
    ),
    (
        phrase("proposal"),
        phrase(
            "One answer to the question of a decision. Its text cannot be changed, only succeeded by another."
        ),
    ),
    (
        phrase("pulse"),
        phrase("What people outside answer to a poll about a decision. A sign, never a part of the count."),
    ),
    (
        phrase("receipt"),
        phrase("What a keeper signs to say: I held this record then."),
    ),
    (
        phrase("record"),
        phrase("A signed fact. Results are computed from records and from nothing else."),
    ),
    (
        phrase("roll"),
        phrase("The list of circles that may vote, frozen when the voting opens."),
    ),
    (
        phrase("root"),
        phrase("A short fingerprint of a set of records. Equal roots, equal sets."),
    ),
    (
        phrase("support"),
        phrase(
            "What a circle says of a version of a proposal before the voting: support, or a concern. It decides nothing."
        ),
    ),
    (
        phrase("terms"),
        phrase("What is fixed when the voting opens: the question, the proposals, the rule and the roll."),
    ),
)
