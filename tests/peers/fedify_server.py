"""A server made of Fedify (`fedify/server.mjs`) as a process of its own, told what to do by lines of JSON."""

import asyncio
import contextlib
import itertools
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.peers.neighbour import LOGINS
from tests.peers.town import Town

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
SOURCES = Path(__file__).parent / "fedify"
INSTALLED = ROOT / ".peers"  # what `make test-peers` installs; Git ignores it
FIRST_KNOCKS = {"cavage": "draft-cavage-http-signatures-12", "rfc9421": "rfc9421"}
SECONDS = 30.0
LINE = 2**22


@dataclass
class Person:
    """An actor of the server (`tests.peers.neighbour.Person`)."""

    server: "Server"
    login: str
    uri: str

    async def _do(self, what: str, *values: Any) -> Any:
        return await self.server.tell(what, *values, who=self.login)

    async def look_up(self, handle: str) -> Json:
        found: Json = await self._do("look_up", handle)
        return found

    async def fetch(self, uri: str) -> Json:
        found: Json = await self._do("fetch", uri)
        return found

    async def status(self, uri: str) -> int:
        return int(await self._do("status", uri))

    async def follow(self, actor: str) -> str:
        return str(await self._do("follow", actor))

    async def unfollow(self, actor: str, follow: str) -> str:
        return str(await self._do("unfollow", actor, follow))

    async def publish(self, words: str) -> str:
        return str(await self._do("publish", words))

    async def reply(self, post: Json, words: str) -> tuple[str, str]:
        note, activity = await self._do("reply", post, words)
        return note, activity

    async def vote(self, question: Json, option: str) -> str:
        return str(await self._do("vote", question, option))

    async def boost(self, post: Json) -> str:
        return str(await self._do("boost", post))

    async def like(self, post: Json) -> str:
        return str(await self._do("like", post))

    async def edit(self, note: str, words: str) -> str:
        return str(await self._do("edit", note, words))

    async def delete(self, note: str) -> str:
        return str(await self._do("delete", note))

    async def heard(self) -> list[Json]:
        found: list[Json] = await self._do("heard")
        return found


@dataclass
class Server:
    """`async with Server(town, "cavage") as fedify:`, at fed.test; `first_knock` is the kind of signature it tries first.

    With `only` that one, activities that are signed by the other are refused with 401 before Fedify sees them.
    """

    town: Town
    first_knock: str
    only: bool = False
    people: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _waiting: dict[int, "asyncio.Future[Json]"] = field(default_factory=dict)
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    host = "fed.test"

    async def __aenter__(self) -> Self:
        for source in SOURCES.glob("*.mjs"):
            shutil.copy(source, INSTALLED)
        try:
            await self._start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _start(self) -> None:
        self.log = self.town.folder / f"{self.host}.log"
        ready = self._waiting[0] = asyncio.get_running_loop().create_future()
        with self.log.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *("node", "--import", "./names.mjs", "server.mjs"),
                cwd=INSTALLED,
                env={
                    "PATH": os.environ["PATH"],
                    "HOST": self.host,
                    "PORT": str(self.town.ports[self.host]),
                    "PLACES": json.dumps(self.town.ports),
                    "CERTIFICATE": str(self.town.certificate_file(self.host)),
                    "ONLY": "1" if self.only else "",
                    "FIRST_KNOCK": FIRST_KNOCKS[self.first_knock],
                    "NODE_EXTRA_CA_CERTS": str(self.town.certificates),
                },
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=LINE,
            )
        self._stack.push_async_callback(self._end)
        self._reading = asyncio.create_task(self._read())
        await asyncio.wait_for(ready, SECONDS)

    async def _end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()  # it ends with its input
        try:
            await asyncio.wait_for(self.process.wait(), 5)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
        await self._reading

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def person(self, *, kin: bool = False) -> Person:
        login = LOGINS[self.people]
        self.people += 1
        return Person(self, login, str(await self.tell("join", kin, who=login)))

    async def turned_away(self, *, forget: bool = False) -> list[str]:
        found: list[str] = await self.tell("refused", forget)
        return found

    async def tell(self, what: str, *values: Any, who: str = "") -> Any:
        """What it answers; an error with its own words if it could not do that."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        assert self.process.stdin is not None
        line = json.dumps({"id": number, "who": who, "what": what, "with": values})
        self.process.stdin.write(line.encode() + b"\n")
        said = await asyncio.wait_for(answer, SECONDS)
        assert "failed" not in said, f"{what}: {said.get('failed')}"
        return said.get("done")

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            said = json.loads(line)
            self._waiting.pop(said["id"]).set_result(said)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(
                    AssertionError(f"the Fedify server has ended: {self.log.read_text()[-3000:]}")
                )
