"""What pages call things: one table per kind of word, so that every page and every test says the same.

Tones (`now`, `ok`, `warn`, `bad`, none) colour a word that already says it; icons decorate. Neither is ever alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from models.rules.phrases import Phrase
from server import viewer
from server.language import Words, said_in, translated


@dataclass(frozen=True)
class Label:
    """A word with its colour and its drawing. `words` are in the reader's language."""

    msgid: str
    tone: str
    icon: str

    @property
    def words(self) -> str:
        return _said(self.msgid)


@dataclass(frozen=True)
class Choice:
    """One of several in a form. `words` and `hint` are in the reader's language."""

    value: str
    msgid: str
    hint_msgid: str = ""

    @property
    def words(self) -> str:
        return _said(self.msgid)

    @property
    def hint(self) -> str:
        return _said(self.hint_msgid)


class Named(Choice):
    """One of several that has a name, such as a circle: it is the same in each language. Its hint is said already."""

    @property
    def words(self) -> str:
        return self.msgid

    @property
    def hint(self) -> str:
        return self.hint_msgid


def _said(text: str) -> str:
    return said_in(text) if isinstance(text, Phrase) else translated(text)


def table(rows: Iterable[Choice]) -> Mapping[str, Choice]:
    return {row.value: row for row in rows}


STATES: Final[Mapping[str, Label]] = {
    "gathering": Label("In preparation", "now", "dots"),
    "deliberating": Label("Before the voting", "now", "dots"),
    "voting": Label("Voting is open", "now", "open"),
    "closing": Label("Closing", "warn", "clock"),
    "provisional": Label("Provisional", "warn", "clock"),
    "final": Label("Final", "ok", "yes"),
    "heard": Label("Adopted by those heard", "warn", "half"),
    "contested": Label("Contested", "bad", "alert"),
    "undecided": Label("Undecided", "warn", "half"),
    "void": Label("Void", "bad", "no"),
    "withdrawn": Label("Withdrawn", "", "no"),
    "lapsed": Label("Lapsed", "", "no"),
}

OUTCOMES: Final[Mapping[str, Label]] = {
    "adopted": Label("Adopted", "ok", "yes"),
    "rejected": Label("Not adopted", "", "no"),
    "no-quorum": Label("Too few took part", "warn", "half"),
    "tied": Label("Tied", "warn", "half"),
}

STATUSES: Final[Mapping[str, Label]] = {
    "cast": Label("in time", "ok", "yes"),
    "late": Label("late: shown, not counted", "warn", "clock"),
    "set-aside": Label("set aside: two ballots with one number", "bad", "alert"),
    "silent": Label("heard, cast no ballot", "", "half"),
    "unheard": Label("not heard", "warn", "alert"),
    "left": Label("left the decision", "", "no"),
    "waiting": Label("no ballot yet", "", "dots"),
}

POSITIONS: Final[Mapping[str, Label]] = {
    "consent": Label("Consent", "ok", "yes"),
    "concern": Label("Consent with a concern", "ok", "yes"),
    "stand-aside": Label("Stand aside", "", "half"),
    "object": Label("Object", "bad", "hand"),
    "not-ready": Label("Not ready", "warn", "clock"),
    "no-agreement": Label("No agreement inside", "warn", "half"),
    "yes": Label("Yes", "ok", "yes"),
    "no": Label("No", "bad", "no"),
    "abstain": Label("Abstain", "", "half"),
}

POSITION_HINTS: Final = Words(
    {
        "consent": "Good enough for now, and safe enough to try.",
        "concern": "Goes along; the concern is on record.",
        "stand-aside": "Takes no part in it, and does not stop it.",
        "object": "It would do harm. The reason says which, and what would resolve it.",
        "not-ready": "It takes more time or more information.",
        "no-agreement": "The circle talked, and did not come to one mind.",
        "yes": "",
        "no": "",
        "abstain": "Takes part, for neither side.",
    }
)

METHODS: Final = table(
    (
        Choice(
            "consent",
            "Consent",
            "One proposal. Adopted if enough circles take part, at least one consents, and none objects. An objection says what "
            "harm it sees and what would resolve it.",
        ),
        Choice(
            "majority",
            "Majority",
            "One proposal. Adopted if enough circles take part and the share that says yes reaches the threshold.",
        ),
        Choice(
            "approval",
            "Approval",
            "Two to five proposals. Each circle approves of as many as it likes. The one that most approve of is adopted, if "
            "more circles approve of it than of leaving things as they are.",
        ),
    )
)

TAKES: Final = table(
    (
        Choice("binding", "Binding on us", "If it is adopted, we carry it out."),
        Choice(
            "ratifies",
            "We will ratify it at our assembly",
            "It binds us once our assembly has said yes, by a date you give.",
        ),
        Choice(
            "advisory",
            "Advisory to us",
            "Our circles give their view. It is shown apart, and binds nobody here.",
        ),
        Choice("declines", "We do not take part", "The others go on without us."),
    )
)

VISIBILITY: Final = table(
    (
        Choice("public", "Everybody", "On this site, in feeds, and to followers."),
        Choice("federation", "The collectives that take part", "Their members, and nobody else."),
        Choice("collective", "Only this collective", "Its own members, and nobody else."),
    )
)

REDACTIONS: Final = Words(
    {
        "personal": "it held personal data",
        "unlawful": "it was unlawful",
        "mistake": "it was a mistake",
        "other": "no reason was given",
    }
)

REDACTION_CODES: Final = table(
    (
        Choice("personal", "It holds personal data", "A name, an address, something about somebody."),
        Choice("unlawful", "It is unlawful"),
        Choice("mistake", "It was a mistake"),
        Choice("other", "Something else", "No reason is shown."),
    )
)

# What was just done, said once on the page that follows.
DONE: Final = Words(
    {
        "joined": "Welcome. You are a member now, and logged in.",
        "convened": "Your question is out. Those who were invited are being told.",
        "convened-alone": "Your question is out. Your circles can begin.",
        "answered": "Your collective’s answer is on its way to everybody who takes part.",
        "proposed": "Your proposal is on the list, and on its way to everybody who takes part.",
        "changed": "The proposal says so from now on. Who supported it before is asked again.",
        "change-proposed": "Your change is on its way to whoever made the proposal, and to everybody who takes part.",
        "taken-in": "The change is taken in: this is what is voted on. Who supported it before is asked again.",
        "change-declined": "The change is declined. Everybody who takes part is told why.",
        "supported": "Your circle’s word is on its way to everybody who takes part.",
        "withdrawn": "The question is taken back. Everybody who was asked is being told.",
        "ratified": "It is said: the outcome binds your collective. Everybody who takes part is being told.",
        "left": "Your collective has left. Everybody who takes part is being told.",
        "objected": "Your circle’s objection is on its way to everybody who takes part.",
        "removed": "The text is removed here. The other instances are being told.",
        "posted": "Published. Followers are being told.",
        "edited": "Changed. Everybody who got the post is being told.",
        "deleted": "Deleted here. The other servers are being told.",
        "steps-put-away": "The list is put away.",
        "described": "Saved. Followers are told a new name or new words.",
        "signed-only": "From now on servers must sign their requests to be shown what you publish.",
        "shown-to-all": "From now on every server is shown what you publish.",
        "pictured": "The collective has a new picture. Followers are being told.",
        "server-block": "The server is blocked.",
        "server-limit": "The server is limited.",
        "server-allow": "The server is on the list.",
        "server-forget": "It is a server like any other again.",
        "only-listed": "From now on you deal only with listed servers.",
        "all-servers": "From now on you deal with every server that is not blocked.",
        "list": "The list is taken over.",
        "letters-again": "They are sent again, from the first attempt.",
        "letters-forgotten": "They are forgotten.",
        "letter-gone": "It is not here any more: it is being sent again, or was forgotten.",
        "report-closed": "The report is closed.",
        "report-sent": "The report is on its way.",
        "hidden": "The reply is hidden here. Who moderates can show it again.",
        "shown": "The reply is shown again.",
        "revoked": "The consent to the quote is taken back. The other server is being told.",
        "appeared": "You have a public profile now.",
        "feed-made": "The feed is there, and can be followed.",
        "source-added": "It is added. A collective elsewhere is asked first; its posts come once it has said yes.",
        "source-removed": "The feed does not pass it on any more.",
        "budget": "From now on the feeds keep to that number.",
        "feed-ended": "The feed has ended. Those who followed it are being told.",
        "disappeared": "Your public profile is gone. Those who followed it are being told.",
        "position": "Your circle can see where you stand. Nobody else can.",
        "draft": "The draft is saved as a new version. It needs new confirmations.",
        "confirmed": "You confirmed the draft.",
        "unconfirmed": "Your confirmation is taken back.",
        "said": "Your remark stands below.",
        "remark-edited": "Your remark is changed.",
        "remark-deleted": "Your remark is deleted.",
        "remark-hidden": "The remark is hidden. Its author is told.",
        "remark-shown": "The remark is shown again.",
        "cast": "With your confirmation, your circle’s ballot is published.",
        "asked": "Your request is on its way to the members who admit people.",
        "admitted": "They are a member now, and can log in.",
        "invitation-ended": "That link admits nobody any more.",
        "declined": "The request is declined. Whoever asked reads your words when they try to log in.",
        "declined-all": "Those requests are declined.",
        "requests-on": "Visitors can ask to join now.",
        "requests-off": "Visitors cannot ask to join any more. The requests that wait still wait.",
        "profile": "Your profile is saved.",
        "settings": "Your settings are saved.",
        "password": "Your new password is set. Everywhere else you are logged out.",
        "login-ended": "That browser is logged out.",
        "logins-ended": "Everywhere else you are logged out.",
        "passkey-added": "You can log in with this passkey now.",
        "passkey-named": "The passkey has its new name.",
        "passkey-removed": "Nobody can log in with that passkey any more. It may still be listed on your device: "
        "remove it there too.",
        "second-off": "The second factor is off. Only your password or a passkey is asked for now.",
        "recovered": "Your new password is set, every browser is logged out. Log in, then check your passkeys and e-mail address.",
        "all-read": "All of them are marked as read.",
        "muted": "You are told nothing more of this decision. It is listed below, if you want to hear of it again.",
        "unmuted": "You are told of this decision again.",
        "muted-here": "You are told nothing more of this decision. What your circle needs still stands on your home page.",
        "unmuted-here": "You are told of this decision again.",
        "mail-link": "A link is on its way to the address. Open it to confirm that it is yours.",
        "mail-confirmed": "The address is confirmed. Choose below what you want to get.",
        "mail-forgotten": "Your address is forgotten.",
        "address-ended": "Nothing is at that address any more.",
        "link-cancelled": "The link works no more.",
        "charter-asked": "The question is out, to all circles. Until they have decided, the charter stays as it is.",
        "removal-asked": "The question is out, to all circles. Only members see it.",
        "person-erased": "Nothing here says any more who they were.",
        "person-removed": "They are no member any more.",
        "you-left": "You have left. Nobody can log in as you any more.",
    }
)

# Why a record has no effect.
IGNORED: Final = Words(
    {
        "other-scope": "belongs to another decision",
        "not-invited": "is by a collective that was not invited",
        "answered-late": "came after the time to answer",
        "other-round": "belongs to another round",
        "not-entitled": "is by somebody who may not sign this here",
        "before-offer": "is dated before the question was asked",
        "proposed-late": "came after the time for proposals",
        "amends-nothing": "would change a proposal that is not here",
        "not-current": "concerns a version that is not in force",
        "no-option": "speaks of a proposal that is not here",
        "after-opening": "came after the voting had opened",
        "one-too-many": "is one proposal more than this decision takes",
        "terms-early": "froze the terms too early",
        "terms-late": "froze the terms too late",
        "terms-not-held": "names records that are not here",
        "terms-wrong": "is not what the answers and proposals make",
        "not-in-terms": "came too late for the terms",
        "no-terms": "came although no terms were in effect",
        "withdrawn-late": "came after the voting had opened",
        "others-voted": "came after others had voted",
        "other-terms": "speaks of other terms",
        "not-answering": "is by somebody who does not take part",
        "not-a-keeper": "is by an instance that does not keep the records",
        "not-on-roll": "is by a circle that is not on the roll",
        "no-ack": "came before its instance had acknowledged the terms",
        "ballot-early": "came before the voting opened",
        "bad-position": "says something that cannot be said in this way of deciding",
        "too-few-confirmed": "was confirmed by less than two thirds of its circle",
        "result-early": "counted before counting could begin",
        "statement-early": "closed before the voting did",
        "statement-late": "closed too late",
        "leave-not-effective": "took effect too late for this round",
        "ratified-early": "ratified before the voting was over",
        "not-unheard": "objects although its circle was heard",
        "objected-late": "objects after the time for it",
    }
)

RECORDS: Final = Words(
    {
        "Answer": "An answer",
        "Option": "A proposal",
        "Support": "A word on a proposal",
        "Integrate": "A change taken in",
        "Decline": "A change declined",
        "Withdraw": "A withdrawal",
        "Terms": "A statement of terms",
        "TermsAck": "An acknowledgement of terms",
        "TermsObjection": "An objection to terms",
        "Ballot": "A ballot",
        "Receipt": "A receipt",
        "CloseStatement": "A close statement",
        "Result": "A result",
        "Challenge": "A challenge",
        "Leave": "A leaving",
        "Ratify": "A ratification",
        "Objection": "An objection",
        "Redact": "A removal of text",
        "Offer": "An offer",
    }
)

# Languages that texts can be marked with, in their own names.
LANGUAGES: Final = table(
    Named(code, name)
    for code, name in (
        ("en", "English"),
        ("ar", "العربية"),
        ("ca", "Català"),
        ("cs", "Čeština"),
        ("de", "Deutsch"),
        ("el", "Ελληνικά"),
        ("es", "Español"),
        ("eu", "Euskara"),
        ("fa", "فارسی"),
        ("fr", "Français"),
        ("it", "Italiano"),
        ("ku", "Kurdî"),
        ("nl", "Nederlands"),
        ("pl", "Polski"),
        ("pt", "Português"),
        ("sv", "Svenska"),
        ("tr", "Türkçe"),
        ("uk", "Українська"),
    )
)

# Languages in which pages can be read.
READING: Final = table((LANGUAGES["en"], LANGUAGES["es"]))

MANDATES: Final[Mapping[str, Label]] = {
    "in-force": Label("in force", "ok", "yes"),
    "recalled": Label("recalled", "", "no"),
    "resigned": Label("given back", "", "no"),
    "orphaned": Label("ended with who granted it", "", "no"),
    "lapsed": Label("lapsed", "", "clock"),
    "offered": Label("not accepted yet", "", "dots"),
    "awaiting": Label("not begun yet", "", "clock"),
    "suspended": Label("suspended", "warn", "clock"),
}

# How it stands between a feed and a collective that it passes on.
FOLLOWINGS: Final[Mapping[str, Label]] = {
    "ours": Label("our own", "ok", "yes"),
    "asked": Label("asked, no answer yet", "", "clock"),
    "accepted": Label("passed on", "ok", "yes"),
    "rejected": Label("does not want to be in it", "warn", "no"),
    "silent": Label("has not answered", "warn", "alert"),
    "parted": Label("not followed any more", "warn", "no"),
    "gone": Label("gone", "", "no"),
}

POWERS: Final = Words({power: said.msgid for power, said in viewer.POWERS.items()})
