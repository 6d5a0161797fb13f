"""What people see. Server-rendered pages that need no script; one file per noun, one template and one typed context per page.

`add_routes`, `_of_feeds` and `_of_decisions` are the whole table of addresses. Faces check forms, open one transaction per action
and turn refusals into pages; what may be done is decided in `server.actions`.
"""

import asyncio

from aiohttp import web

from server.errors import ERROR_PAGE, Handler
from server.keys import SETTINGS, TEMPLATES
from server.web import (
    about,
    accounts,
    afterwards,
    amending,
    answering,
    beginning,
    bundles,
    charters,
    convening,
    counted,
    decisions,
    departing,
    drafts,
    factors,
    feeds,
    folk,
    former,
    helping,
    hiding,
    home,
    hushing,
    instance,
    joining,
    listing,
    live,
    lost,
    mail,
    me,
    media,
    mentions,
    mine,
    moderation,
    notices,
    passkeys,
    posting,
    posts,
    profiles,
    recovering,
    remarking,
    removals,
    removing,
    requests,
    room_acts,
    rooms,
    source,
    subscriptions,
    timeline,
    watching,
)
from server.web.accounts import for_members, taking
from server.web.passwords import AT_ONCE, HASHING
from server.web.render import ASSETS, guard_headers, load_assets, make_environment, see, static_handler
from server.web.troubles import trouble_page

DECISION = "/decisions/{name:[0-9a-f]{64}}"
POST = "/posts/{token:[0-9a-f]{16}}"
FEED = "/feeds/{handle:[a-z0-9_]{2,30}}"
PROPOSAL = f"{DECISION}/proposals/{{option:[0-9a-f]{{64}}}}"
TEXT = "remove/{text:[0-9a-f]{64}}"
REPLY = "replies/{number:[0-9]{1,9}}/{act:hide|show}"
REMARK = "remarks/{number:[0-9]{1,9}}/{act:edit|delete}"
HUSH = "remarks/{number:[0-9]{1,9}}/{act:hide|show}"
QUOTE = "quotes/{number:[0-9]{1,9}}/{act:revoke}"


def add_routes(app: web.Application) -> None:
    """Pages, forms and the stylesheet; and the page for errors."""
    app[TEMPLATES] = make_environment(development=app[SETTINGS].development)
    app[media.DECODING] = asyncio.Semaphore(media.AT_ONCE)
    app[HASHING] = asyncio.Semaphore(AT_ONCE)
    app[departing.PACKING] = asyncio.Semaphore(1)
    watching.set_up(app)
    app[ERROR_PAGE] = trouble_page
    assets = load_assets()
    app[ASSETS] = {name: path for name, (path, _) in assets.items()}
    app.on_response_prepare.append(guard_headers)
    app.router.add_get("/static/{file}", static_handler(assets))
    app.add_routes(
        [
            web.get("/", home.home),
            web.get("/about", about.about),
            web.get("/help", helping.help_page),
            web.get("/settings", instance.settings_page),
            web.post("/settings", taking(instance.change_settings)),
            web.get("/styleguide", instance.style_page),
            web.get("/steps/put-away", _to_home),
            web.post("/steps/put-away", taking(beginning.put_away)),
            *mentions.routes(),
            web.get("/source.zip", source.source),
            web.get("/@{handle}", profiles.profile),
            web.get("/charter", charters.charter_page),
            web.get("/charter.json", charters.charter_json),
            web.get("/charter/change", for_members(charters.change_page)),
            web.post("/charter/change", taking(charters.change)),
            *_of_doors(),
            *_of_people(),
            *_of_accounts(),
            *_of_notices(),
            *_of_feeds(),
            *_of_decisions(),
            *moderation.routes(),
            *_of_posts(),
        ]
    )


def _of_doors() -> list[web.RouteDef]:
    """The addresses by which people come in: log-in, recovery, joining."""
    return [
        web.get("/login", accounts.login_page),
        web.post("/login", accounts.log_in),
        web.get("/logout", _to_home),
        web.post("/logout", taking(accounts.log_out)),
        web.get("/login/code", _to_home),
        web.post("/login/code", accounts.log_in_with_code),
        web.get("/login/lost", lost.lost_page),
        web.post("/login/lost", lost.ask),
        web.get("/recover/{token}", recovering.recover_page),
        web.post("/recover/{token}", recovering.recover),
        web.get("/join", requests.ask_page),
        web.post("/join", requests.ask),
        web.get("/join/{token}", joining.join_page),
        web.post("/join/{token}", joining.join),
    ]


def _of_feeds() -> list[web.RouteDef]:
    """The addresses of federation feeds."""
    return [
        web.get("/feeds", feeds.feeds_page),
        web.get("/feeds/new", feeds.new_page),
        web.post("/feeds/new", taking(feeds.make)),
        web.get("/feeds/budget", feeds.to_feeds),
        web.post("/feeds/budget", taking(feeds.set_budget)),
        web.get(FEED, feeds.feed_page),
        web.post(f"{FEED}/add", taking(feeds.add)),
        web.post(f"{FEED}/remove", taking(feeds.remove)),
        web.get(f"{FEED}/add", feeds.to_feed),
        web.get(f"{FEED}/remove", feeds.remove_page),
        web.get(f"{FEED}/end", feeds.end_page),
        web.post(f"{FEED}/end", taking(feeds.end)),
    ]


def _of_people() -> list[web.RouteDef]:
    """The addresses of the people of the collective."""
    person = "/people/{number:[0-9]{1,9}}"
    asked = "/people/requests/{number:[0-9]{1,9}}"
    return [
        web.get("/people", for_members(folk.people_page)),
        web.get("/people/invite", joining.invite_page),
        web.post("/people/invite", taking(joining.invite)),
        web.get("/people/invite/{number:[0-9]{1,9}}/end", for_members(joining.end_page)),
        web.post("/people/invite/{number:[0-9]{1,9}}/end", taking(joining.end_link)),
        web.get("/people/requests/take", _to("/people/requests")),
        web.get("/people/requests/decline-all", for_members(requests.decline_all_page)),
        web.get(f"{asked}/{{act:admit|decline}}", _to("/people/requests")),
        web.get("/people/requests", for_members(requests.requests_page)),
        web.post("/people/requests/decline-all", taking(requests.decline_all)),
        web.post("/people/requests/take", taking(requests.take)),
        web.post(f"{asked}/{{act:admit|decline}}", taking(requests.answer)),
        web.get(f"{person}/recover", for_members(recovering.help_page)),
        web.post(f"{person}/recover", taking(recovering.make_link)),
        web.get("/people/former", for_members(former.former_page)),
        web.get(f"{person}/erase", for_members(former.erase_page)),
        web.post(f"{person}/erase", taking(former.erase)),
        web.get(f"{person}/remove", for_members(removals.remove_page)),
        web.post(f"{person}/remove", taking(removals.remove)),
        web.get(f"{person}/remove/ask", removals.to_page),
        web.post(f"{person}/remove/ask", taking(removals.ask)),
    ]


def _of_accounts() -> list[web.RouteDef]:
    """The addresses of one's own account."""
    key = "/me/passkeys/{number:[0-9]{1,9}}"
    return [
        web.get("/me", me.me_page),
        web.post("/me/appear", taking(me.appear)),
        web.post("/me/disappear", taking(me.disappear)),
        web.get("/me/appear", me.to_me),
        web.get("/me/disappear", for_members(me.disappear_page)),
        web.get("/me/profile", for_members(mine.profile_page)),
        web.post("/me/profile", taking(mine.change_profile)),
        web.get("/me/password", for_members(mine.password_page)),
        web.post("/me/password", taking(mine.change_password)),
        web.get("/me/settings", for_members(mine.settings_page)),
        web.post("/me/settings", taking(mine.change_settings)),
        web.get("/me/logins", for_members(mine.logins_page)),
        web.get("/me/logins/end", for_members(mine.end_logins_page)),
        web.get("/me/logins/{number:[0-9]{1,9}}/end", for_members(mine.end_login_page)),
        web.post("/me/logins/end", taking(mine.end_logins)),
        web.post("/me/logins/{number:[0-9]{1,9}}/end", taking(mine.end_login)),
        web.get("/me/passkeys", for_members(passkeys.passkeys_page)),
        web.post("/me/passkeys", taking(passkeys.add)),
        web.get(key, for_members(passkeys.passkey_page)),
        web.post(f"{key}/name", taking(passkeys.rename)),
        web.get(f"{key}/remove", for_members(passkeys.remove_page)),
        web.post(f"{key}/remove", taking(passkeys.remove)),
        web.get("/me/second", for_members(factors.second_page)),
        web.post("/me/second/begin", taking(factors.begin)),
        web.post("/me/second/confirm", taking(factors.confirm)),
        web.get("/me/second/codes", for_members(factors.codes_page)),
        web.post("/me/second/codes", taking(factors.renew_codes)),
        web.get("/me/second/off", for_members(factors.off_page)),
        web.post("/me/second/off", taking(factors.turn_off)),
        web.post("/me/recovery/cancel", taking(recovering.cancel)),
        web.get(f"{key}/name", _to("/me/passkeys")),
        web.get("/me/second/{act:begin|confirm}", _to("/me/second")),
        web.get("/me/recovery/cancel", _to("/me")),
        web.get("/me/export", for_members(departing.export_page)),
        web.post("/me/export", taking(departing.export)),
        web.get("/me/leave", for_members(departing.leave_page)),
        web.post("/me/leave", taking(departing.leave)),
    ]


def _of_notices() -> list[web.RouteDef]:
    """The addresses of notices, e-mail, feeds for readers and calendars."""
    muting = "/notices/{act:mute|unmute}/{name:[0-9a-f]{64}}"
    off = "/mail/off/{number:[0-9]{1,9}}/{mark:[0-9a-f]{64}}"
    own = "/private/{token:[A-Za-z0-9_-]{20,64}}"
    confirming = "/me/mail/confirm/{token:[A-Za-z0-9_-]{20,64}}"
    return [
        web.get("/notices", for_members(notices.notices_page)),
        web.post("/notices/read", taking(notices.read_all)),
        web.post("/notices/{number:[0-9]{1,9}}/read", taking(notices.read)),
        web.post(muting, taking(notices.mute)),
        web.get("/notices/{rest:read|[0-9]{1,9}/read|(?:un)?mute/[0-9a-f]{64}}", notices.to_notices),
        web.get("/me/mail", for_members(mail.mail_page)),
        web.post("/me/mail/address", taking(mail.name_address)),
        web.post("/me/mail/choices", taking(mail.choose)),
        web.post("/me/mail/forget", taking(mail.forget)),
        web.get("/me/mail/{act:address|choices}", _to("/me/mail")),
        web.get("/me/mail/forget", for_members(mail.forget_page)),
        web.get(confirming, for_members(mail.confirm_page)),
        web.post(confirming, taking(mail.confirm)),
        web.get(off, mail.off_page),
        web.post(off, mail.turn_off),
        web.get("/me/feeds", for_members(subscriptions.feeds_page)),
        web.post("/me/feeds/make", taking(subscriptions.make_address)),
        web.post("/me/feeds/end", taking(subscriptions.end_address)),
        web.get("/me/feeds/make", for_members(subscriptions.renew_page)),
        web.get("/me/feeds/end", for_members(subscriptions.end_page)),
        web.get("/decisions.atom", subscriptions.decisions_feed),
        web.get("/posts.atom", subscriptions.posts_feed),
        web.get("/closings.ics", subscriptions.closings),
        web.get(f"{own}/decisions.atom", subscriptions.own_decisions),
        web.get(f"{own}/closings.ics", subscriptions.own_closings),
    ]


def _of_decisions() -> list[web.RouteDef]:
    """The addresses of decisions."""
    return [
        web.get("/decisions", listing.list_page),
        web.get("/decisions/new", convening.convene_page),
        web.post("/decisions/new", taking(convening.convene_decision)),
        web.get(f"{DECISION}.json", bundles.bundle),
        web.get(DECISION, decisions.show),
        web.get(f"{DECISION}/live", live.decision_stream, allow_head=False),
        web.get(f"{DECISION}/count", counted.count_page),
        web.get(f"{DECISION}/timeline", timeline.timeline),
        web.get(f"{DECISION}/answer", answering.answer_page),
        web.post(f"{DECISION}/answer", taking(answering.answer)),
        web.get(f"{DECISION}/propose", answering.propose_page),
        web.post(f"{DECISION}/propose", taking(answering.propose)),
        *_of_proposals(),
        web.get(f"{DECISION}/withdraw", answering.withdraw_page),
        web.post(f"{DECISION}/withdraw", taking(answering.withdraw)),
        web.get(f"{DECISION}/ratify", afterwards.ratify_page),
        web.post(f"{DECISION}/ratify", taking(afterwards.ratify)),
        web.get(f"{DECISION}/leave", afterwards.leave_page),
        web.post(f"{DECISION}/leave", taking(afterwards.leave)),
        web.get(f"{DECISION}/object", afterwards.object_page),
        web.post(f"{DECISION}/object", taking(afterwards.object_)),
        web.get(f"{DECISION}/{TEXT}", removing.remove_page),
        web.post(f"{DECISION}/{TEXT}", taking(removing.remove)),
        *(web.get(f"{DECISION}/{what}", hiding.ask) for what in (REPLY, QUOTE)),
        *(web.post(f"{DECISION}/{what}", taking(hiding.do)) for what in (REPLY, QUOTE)),
        web.get(f"{DECISION}/{REMARK}", for_members(remarking.own_page)),
        web.post(f"{DECISION}/{REMARK}", taking(remarking.change)),
        web.get(f"{DECISION}/{HUSH}", for_members(hushing.ask)),
        web.post(f"{DECISION}/{HUSH}", taking(hushing.do)),
        web.get(f"{DECISION}/say", remarking.to_decision),
        web.post(f"{DECISION}/say", taking(remarking.say)),
        web.get(f"{DECISION}/circle", rooms.room),
        web.get(f"{DECISION}/circle/live", live.room_stream, allow_head=False),
        web.get(f"{DECISION}/circle/drafts", drafts.history),
        web.get(f"{DECISION}/circle/say", room_acts.to_room),
        web.post(f"{DECISION}/circle/say", taking(remarking.say_in_circle)),
        web.get(f"{DECISION}/circle/{{act:position|draft|confirm|unconfirm}}", room_acts.to_room),
        web.post(f"{DECISION}/circle/{{act:position|draft|confirm|unconfirm}}", taking(room_acts.act)),
    ]


def _of_proposals() -> list[web.RouteDef]:
    """The addresses of one proposal of a decision."""
    return [
        web.get(PROPOSAL, amending.proposal_page),
        web.get(f"{PROPOSAL}/support", amending.support_page),
        web.post(f"{PROPOSAL}/support", taking(amending.support)),
        web.get(f"{PROPOSAL}/change", amending.change_page),
        web.post(f"{PROPOSAL}/change", taking(amending.change)),
        web.get(f"{PROPOSAL}/answer", amending.answer_page),
        web.post(f"{PROPOSAL}/answer", taking(amending.answer)),
    ]


def _of_posts() -> list[web.RouteDef]:
    """The addresses of what is said as the collective."""
    return [
        web.get("/posts", posts.posts),
        web.get("/posts/new", posting.new_page),
        web.post("/posts/new", taking(posting.new)),
        web.post("/posts/images", taking(posting.add_picture, media.posted_with_file)),
        web.get("/posts/images", posting.to_new),
        web.get("/posts/icon", media.icon_page),
        web.post("/posts/icon", taking(media.change_icon, media.posted_with_file)),
        web.get(POST, posts.post),
        web.get(f"{POST}/edit", posting.edit_page),
        web.post(f"{POST}/edit", taking(posting.edit)),
        web.get(f"{POST}/delete", posting.delete_page),
        web.post(f"{POST}/delete", taking(posting.delete)),
        web.get("/tags/{word}", posts.tag),
        web.get("/media/{name:[0-9a-f]{32}}", media.picture),
    ]


def _to(path: str) -> Handler:
    """Where a form of a page goes, there is nothing to look at: who asks is sent to the page."""

    async def go(_request: web.Request) -> web.StreamResponse:
        return see(path)

    return go


async def _to_home(_request: web.Request) -> web.StreamResponse:
    return see("/")
