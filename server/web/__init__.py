"""What people see. Server-rendered pages that need no script; one file per noun, one template and one typed context per page.

`add_routes` is the whole table of addresses. Faces check forms, open one transaction per action and turn refusals into pages;
what may be done is decided in `server.actions`.
"""

import asyncio

from aiohttp import web

from server.errors import ERROR_PAGE
from server.keys import SETTINGS, TEMPLATES
from server.web import about, accounts, joining
from server.web.accounts import taking
from server.web.passwords import AT_ONCE, HASHING
from server.web.render import ASSETS, guard_headers, load_assets, make_environment, see, static_handler
from server.web.troubles import trouble_page


def add_routes(app: web.Application) -> None:
    """Pages, forms and the stylesheet; and the page for errors."""
    app[TEMPLATES] = make_environment(development=app[SETTINGS].development)
    app[HASHING] = asyncio.Semaphore(AT_ONCE)
    app[ERROR_PAGE] = trouble_page
    assets = load_assets()
    app[ASSETS] = {name: path for name, (path, _) in assets.items()}
    app.on_response_prepare.append(guard_headers)
    app.router.add_get("/static/{file}", static_handler(assets))
    app.add_routes(
        [
            web.get("/about", about.about),
            web.get("/login", accounts.login_page),
            web.post("/login", accounts.log_in),
            web.get("/logout", _to_home),
            web.post("/logout", taking(accounts.log_out)),
            web.get("/join/{token}", joining.join_page),
            web.post("/join/{token}", joining.join),
            web.get("/people/invite", joining.invite_page),
            web.post("/people/invite", taking(joining.invite)),
        ]
    )


async def _to_home(_request: web.Request) -> web.StreamResponse:
    return see("/")
