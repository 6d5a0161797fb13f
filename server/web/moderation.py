"""The addresses of the pages for those who moderate."""

from typing import Final

from aiohttp import web

from server.web import blocklists, letters, moderating, reports, servers, showing
from server.web.accounts import taking

SERVER: Final = "/moderate/servers/{host:[^/]*[.][^/]*}"
ACT: Final = f"{SERVER}/{{act:block|limit|allow|forget}}"
REPORT: Final = "/moderate/reports/{number:[0-9]{1,9}}"


def routes() -> list[web.RouteDef]:
    return [
        web.get("/moderate", moderating.moderate_page),
        web.get("/moderate/servers", servers.servers_page),
        web.post("/moderate/servers/named", taking(servers.look_up)),
        web.get("/moderate/servers/named", servers.to_servers),
        web.get("/moderate/servers/list", blocklists.list_page),
        web.post("/moderate/servers/list", taking(blocklists.take_over)),
        web.get("/moderate/blocklist.csv", blocklists.download),
        web.get(SERVER, servers.server_page),
        web.get(ACT, servers.decide_page),
        web.post(ACT, taking(servers.decide)),
        web.get("/moderate/only-listed", servers.only_allowed_page),
        web.post("/moderate/only-listed", taking(servers.choose_only_allowed)),
        web.get("/moderate/signed-only", showing.showing_page),
        web.post("/moderate/signed-only", taking(showing.choose)),
        web.get("/moderate/letters", letters.letters_page),
        web.post("/moderate/letters", taking(letters.send_again)),
        web.get("/moderate/letters/forget", letters.forget_page),
        web.post("/moderate/letters/forget", taking(letters.forget)),
        web.get("/moderate/reports", reports.reports_page),
        web.get("/moderate/reports/new", reports.new_page),
        web.post("/moderate/reports/new", taking(reports.new)),
        web.get(REPORT, reports.report_page),
        web.post(REPORT, taking(reports.close)),
    ]
