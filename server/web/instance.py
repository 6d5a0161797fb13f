"""Settings of the instance, and the page that shows how pages are built. To whoever does not hold `operate` there are none."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web

from models.mandates import MandateRow
from models.rules.hues import DARK, HUES, LIGHT, accents, contrast
from models.rules.phrases import phrase
from models.rules.refusals import Refusal
from server.actions import describing, languages, passing, requests
from server.actions.describing import Looks
from server.actions.peers import only_allowed
from server.actions.showing import signed_only
from server.keys import HOME, SETTINGS
from server.language import Words, _
from server.web.beginning import Step, next_step
from server.web.forms import Form, Problems, problems_of
from server.web.mine import done_in, status_of
from server.web.render import frame_of, page, see
from server.web.sessions import Visit, acting, reading
from server.web.words import READING, Choice, Label

USUAL = ("#17594a", "#84cfb5")
HUE_NAMES = Words(
    {
        "red": "Red",
        "brick": "Brick",
        "amber": "Amber",
        "olive": "Olive",
        "leaf": "Leaf",
        "pine": "Pine",
        "teal": "Teal",
        "sea": "Sea",
        "sky": "Sky",
        "indigo": "Indigo",
        "violet": "Violet",
        "plum": "Plum",
    }
)


@dataclass(frozen=True)
class Hue:
    """A colour to choose, as it is in the light and in the dark."""

    value: str
    words: str
    light: str
    dark: str


@dataclass(frozen=True)
class SettingsPage:
    looks: Looks
    seen: str
    hues: Sequence[Hue]
    languages: Sequence[Choice]
    most_summary: int
    takes_requests: bool
    may_admit: bool
    signed_only: bool
    only_listed: bool
    may_moderate: bool
    budget: int
    mandate: int
    done: str
    next: Step | None
    problems: Problems = field(default_factory=Problems)


def hues() -> Sequence[Hue]:
    """What there is to choose from, the usual colour first."""
    named = [Hue(name, HUE_NAMES[name], *accents(degrees)) for name, degrees in HUES.items()]
    return [Hue("", _("Usual green"), *USUAL), *named]


def _mandate(visit: Visit) -> MandateRow:
    mandate = visit.viewer.mandate_for("operate")
    if mandate is None or not visit.viewer.is_member:
        raise web.HTTPNotFound
    return mandate


async def settings_page(request: web.Request) -> web.StreamResponse:
    async with reading(request) as visit:
        _mandate(visit)
    return await _settings(request, None, Problems())


async def _settings(request: web.Request, typed: Looks | None, problems: Problems) -> web.Response:
    async with reading(request) as visit:
        mandate = _mandate(visit)
        usual = languages.language_in(visit.choices)
        now = Looks(visit.collective.name, visit.collective.summary, visit.hue, usual)
        context = SettingsPage(
            looks=typed or now,
            seen=now.digest,
            hues=hues(),
            languages=list(READING.values()),
            most_summary=describing.MOST_SUMMARY,
            takes_requests=await requests.are_taken(visit.session),
            may_admit=visit.viewer.may("admit"),
            signed_only=await signed_only(visit.session),
            only_listed=await only_allowed(visit.session),
            may_moderate=visit.viewer.may("moderate"),
            budget=await passing.budget(visit.session),
            mandate=mandate.id,
            done=done_in(request),
            next=await next_step(visit) if done_in(request) else None,
            problems=problems,
        )
        return page(request, frame_of(visit), "instance/settings.html", context, status_of(problems))


async def change_settings(request: web.Request, form: Form) -> web.StreamResponse:
    """The collective is called and looks like this from now on."""
    looks = Looks(form.one("name"), form.one("summary"), form.one("hue"), form.one("language"))
    try:
        async with acting(request) as visit:
            _mandate(visit)
            home, seen = request.app[HOME], form.one("seen")
            await describing.describe(visit.session, home, visit.viewer, looks, seen, visit.now)
    except Refusal as refusal:
        return await _settings(request, looks, problems_of(refusal))
    return see("/settings?done=described")


# How pages are built


@dataclass(frozen=True)
class Swatch:
    """A colour by its name in the stylesheet, and its contrast on the background on which it is read worst."""

    name: str
    light: str
    dark: str
    on_light: float
    on_dark: float


@dataclass(frozen=True)
class StylePage:
    colours: Sequence[Swatch]
    hues: Sequence[Swatch]
    labels: Sequence[Label]
    choices: Sequence[Choice]
    problems: Problems
    fine: Problems = field(default_factory=Problems)


COLOURS = {  # those of the stylesheet in which words are drawn; a test holds the two together
    "ink": ("#1c2320", "#e7ebe8"),
    "soft": ("#56615c", "#a7b1ac"),
    "ok": ("#1a6b3b", "#86d39e"),
    "warn": ("#855000", "#ecbd6c"),
    "bad": ("#a4282c", "#f4a19d"),
}
LABELS = (
    Label("Voting is open", "now", "open"),
    Label("Accepted", "ok", "yes"),
    Label("Waits for you", "warn", "clock"),
    Label("Refused", "bad", "no"),
    Label("Not public", "", "lock"),
)
CHOICES = (Choice("yes", "Yes", "A sentence about what follows."), Choice("no", "No"))
PROBLEMS = Problems(
    fields={"wrong-name": phrase("Say what we should call you."), "wrong-kind": phrase("Choose one.")}
)


def swatch(name: str, light: str, dark: str) -> Swatch:
    worst = [min(contrast(one, on) for on in all_) for one, all_ in ((light, LIGHT), (dark, DARK))]
    return Swatch(name, light, dark, round(worst[0], 1), round(worst[1], 1))


async def style_page(request: web.Request) -> web.StreamResponse:
    """GET /styleguide: every element that pages are built of. In development everybody may look."""
    async with reading(request) as visit:
        if not request.app[SETTINGS].development:
            _mandate(visit)
        context = StylePage(
            colours=[swatch(name, *pair) for name, pair in COLOURS.items()],
            hues=[swatch(one.words, one.light, one.dark) for one in hues()],
            labels=LABELS,
            choices=CHOICES,
            problems=PROBLEMS,
        )
        return page(request, frame_of(visit), "instance/styleguide.html", context)
