"""The typed keys under which an application keeps what `server.app` wired. Faces read them once per request."""

import asyncio

import jinja2
from aiohttp import ClientSession, web

from models.base import Database
from server.clock import Clock
from server.home import Home
from server.settings import Settings

SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)
CLOCK: web.AppKey[Clock] = web.AppKey("clock", Clock)
DATABASE: web.AppKey[Database] = web.AppKey("database", Database)
HOME: web.AppKey[Home] = web.AppKey("home", Home)
NETWORK: web.AppKey[ClientSession] = web.AppKey("network", ClientSession)
TEMPLATES: web.AppKey[jinja2.Environment] = web.AppKey("templates", jinja2.Environment)
STOPPING: web.AppKey[asyncio.Event] = web.AppKey("stopping", asyncio.Event)
