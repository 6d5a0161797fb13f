"""What cannot be got back by one click is confirmed on a page of its own, which says what goes. Every address that takes a form is
in one of these tables: whoever adds one decides here which it is."""

import re
from typing import Final

from server.web.render import ROOT
from tests.federation.meetings import Meetings
from tests.server.web.test_every_form import taken_by

DECISION: Final = "/decisions/{name}"

# The page that asks is at the same address.
CONFIRMED: Final = {
    "/me/leave",
    "/me/password",
    "/me/passkeys/{number}/remove",
    "/me/second/codes",
    "/me/second/off",
    "/me/mail/forget",
    "/me/logins/end",
    "/me/logins/{number}/end",
    "/me/feeds/make",  # where there are addresses already
    "/me/feeds/end",
    "/me/disappear",
    "/people/invite/{number}/end",
    "/people/requests/decline-all",
    "/people/{number}/recover",  # a link made before works no more
    "/people/{number}/remove",
    "/people/{number}/erase",
    "/feeds/{handle}/remove",
    "/feeds/{handle}/end",
    "/posts/{token}/edit",
    "/posts/{token}/delete",
    "/posts/icon",
    "/mail/off/{number}/{mark}",
    "/moderate/servers/{host}/{act}",
    "/moderate/servers/list",
    "/moderate/only-listed",
    "/moderate/signed-only",
    "/moderate/letters/forget",
    "/moderate/reports/{number}",
    "/mentions/replies/{number}/{act}",
    f"{DECISION}/answer",
    f"{DECISION}/propose",
    f"{DECISION}/proposals/{{option}}/support",
    f"{DECISION}/proposals/{{option}}/change",
    f"{DECISION}/proposals/{{option}}/answer",
    f"{DECISION}/withdraw",
    f"{DECISION}/ratify",
    f"{DECISION}/leave",
    f"{DECISION}/object",
    f"{DECISION}/remove/{{text}}",
    f"{DECISION}/replies/{{number}}/{{act}}",
    f"{DECISION}/quotes/{{number}}/{{act}}",
    f"{DECISION}/remarks/{{number}}/{{act}}",
}

AT_ONCE: Final = {
    "/login": "opens",
    "/login/code": "opens",
    "/login/lost": "asks for something",
    "/recover/{token}": "opens; a page of its own, with a new password",
    "/join": "asks for something",
    "/join/{token}": "opens",
    "/logout": "one logs in again",
    "/steps/put-away": "a list of links; the page says that all of it is in the menu",
    "/settings": "is changed back by the same form",
    "/people/invite": "makes something",
    "/people/requests/take": "is changed back by the same form",
    "/people/requests/{number}/{act}": "declining lies behind “Decline”, with what cannot be taken back beside its button",
    "/people/{number}/remove/ask": "asks a question, which can be taken back",
    "/me/appear": "a page can be taken away again",
    "/me/profile": "is changed back by the same form",
    "/me/settings": "is changed back by the same form",
    "/me/passkeys": "makes something, and asks for the password",
    "/me/passkeys/{number}/name": "is changed back by the same form",
    "/me/second/begin": "nothing is asked for with the new key before a code of it was typed",
    "/me/second/confirm": "makes something, and asks for the password",
    "/me/recovery/cancel": "closes what somebody else opened; another link is asked for as this one was",
    "/me/export": "changes nothing",
    "/me/mail/address": "the one before stays until the new one is confirmed, and asks for the password",
    "/me/mail/choices": "is changed back by the same form",
    "/me/mail/confirm/{token}": "a page of its own, by a link",
    "/notices/read": "what was read stays on the page",
    "/notices/{number}/read": "what was read stays on the page",
    "/notices/{act}/{name}": "one click mutes, one click ends it",
    "/feeds/new": "makes something",
    "/feeds/budget": "is changed back by the same form",
    "/feeds/{handle}/add": "what is added can be left out",
    "/charter/change": "asks all circles, and can be taken back before the voting",
    "/decisions/new": "makes something, which can be taken back before the voting",
    f"{DECISION}/say": "can be changed and deleted",
    f"{DECISION}/circle/say": "can be changed and deleted",
    f"{DECISION}/circle/{{act}}": "drafts keep their history; confirming is taken back by one click until there is a ballot",
    "/moderate/servers/named": "looks something up",
    "/moderate/letters": "tries something again",
    "/moderate/reports/new": "a page of its own",
    "/posts/new": "is shown first, and can be deleted",
    "/posts/images": "waits to be posted, and is forgotten after a day",
}

# Confirmed by `server.web.confirming`, from a link: no other page has a form that does it. `*` stands for what differs.
BY_LINK: Final = {
    "/me/passkeys/*/remove",
    "/me/second/codes",
    "/me/second/off",
    "/me/mail/forget",
    "/me/logins/end",
    "/me/logins/*/end",
    "/me/disappear",
    "/people/invite/*/end",
    "/people/requests/decline-all",
    "*/remove",
}


async def test_every_address_that_takes_a_form_asks_first_or_has_a_reason_not_to(meetings: Meetings) -> None:
    async with meetings.founded(oak=1) as fed:
        app = fed.app_of("oak")
        assert taken_by(app) == CONFIRMED | set(AT_ONCE)
        assert not CONFIRMED & set(AT_ONCE)
        pages = {
            route.resource.canonical
            for route in app.router.routes()
            if route.method == "GET" and route.resource and not is_detour(route.handler.__name__)
        }
        assert pages >= CONFIRMED, "a page that only leads somewhere else asks nothing"


def is_detour(name: str) -> bool:
    return name == "go" or name.lstrip("_").startswith("to_")


def test_no_page_but_the_one_that_asks_does_what_cannot_be_got_back() -> None:
    actions = {
        re.sub(r"{{.*?}}", "*", action)
        for path in (ROOT / "templates").rglob("*.html")
        for action in re.findall(r'<form[^>]* action="((?:{{.*?}}|[^"])*)"', path.read_text())
    }
    assert {"/login", "/me/passkeys/*/name", "*/end"} <= actions
    assert not actions & BY_LINK
