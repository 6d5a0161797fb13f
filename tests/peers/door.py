"""What stands in front of an instance: TLS ends here, and what passes is noted as it was said."""

import asyncio
import contextlib
import re
from collections import deque
from dataclasses import dataclass, field

MOST = 2**20
_REQUEST = re.compile(rb"(GET|POST) (/\S*) HTTP/1\.1\r\n((?:[^\r\n]+\r\n)*)\r\n")
_ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n")


@dataclass(frozen=True)
class Asked:
    """One request that came through, and the status of its answer."""

    method: str
    path: str
    headers: dict[str, str]
    status: int | None

    @property
    def scheme(self) -> str | None:
        """How it was signed: rfc9421, cavage, or not at all."""
        if "signature-input" in self.headers:
            return "rfc9421"
        return "cavage" if "signature" in self.headers else None


@dataclass
class Door:
    """Passes every connection on to a port of this machine."""

    port: int
    _said: "deque[tuple[bytearray, bytearray]]" = field(default_factory=deque)

    async def let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner = await asyncio.open_connection("127.0.0.1", self.port)
        said = bytearray(), bytearray()
        self._said.append(said)
        await asyncio.gather(_pass_on(reader, inner[1], said[0]), _pass_on(inner[0], writer, said[1]))

    @property
    def asked(self) -> list[Asked]:
        """All that came through so far, connection by connection."""
        found = []
        for requests, answers in self._said:
            statuses = iter(int(match[1]) for match in _ANSWER.finditer(answers))
            for match in _REQUEST.finditer(requests):
                lines = match[3].decode().splitlines()
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                found.append(Asked(match[1].decode(), match[2].decode(), headers, next(statuses, None)))
        return found


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, noted: bytearray) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            noted += data[: MOST - len(noted)]
            writer.write(data)
            await writer.drain()
    writer.close()
