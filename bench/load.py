"""A client as cheap as Python can make it: bytes prepared beforehand over connections that stay open. Run it on another core
than what it asks."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence

END = b"\r\n\r\n"
LENGTH = b"content-length:"


class Pace:
    """When the next request may go, of so many a second over all connections."""

    def __init__(self, per_second: float) -> None:
        self._gap, self._due = 1 / per_second, time.monotonic()

    def wait(self) -> float:
        """Seconds until then; each call is for one request."""
        due, self._due = self._due, self._due + self._gap
        return due - time.monotonic()


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last one is whole, and its time has come."""

    def __init__(
        self,
        requests: Iterator[bytes],
        wanted: bytes,
        done: asyncio.Future[int],
        statuses: Counter[str],
        pace: Pace | None,
    ) -> None:
        self._requests, self._wanted, self._done, self._statuses = requests, wanted, done, statuses
        self._pace = pace
        self._held = b""
        self.answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (size := _whole(self._held)) and len(self._held) >= size:
            if not self._held.startswith(self._wanted):
                self._fail(RuntimeError(f"not the answer that was wanted: {self._held[:300]!r}"))
                return
            status = self._held[9:12].decode()
            if status == "503" and b"\r\nretry-after:" not in self._held[:size].lower():
                self._fail(RuntimeError("a 503 that does not say when to come again"))
                return
            self._statuses[status] += 1
            self._held = self._held[size:]
            self.answered += 1
            self._next()

    def connection_lost(self, _error: Exception | None) -> None:
        self._fail(ConnectionResetError("the measured server hung up"))

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is not None:
            wait = 0.0 if self._pace is None else self._pace.wait()
            if wait > 0:
                asyncio.get_running_loop().call_later(wait, self._transport.write, request)
            else:
                self._transport.write(request)
        elif not self._done.done():
            self._done.set_result(self.answered)
            self._transport.close()

    def _fail(self, error: Exception) -> None:
        if not self._done.done():
            self._done.set_exception(error)


def _whole(held: bytes) -> int:
    """Bytes of the first answer in `held`, or 0 if its head is not complete."""
    end = held.find(END)
    if end < 0:
        return 0
    head = held[:end].lower()
    at = head.find(LENGTH)
    return end + len(END) + (0 if at < 0 else int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]))


async def send(
    port: int,
    requests: Iterator[bytes],
    connections: int,
    wanted: bytes,
    statuses: Counter[str] | None = None,
    per_second: float | None = None,
) -> tuple[int, float]:
    """Send these over so many connections at once, `per_second` at most; returns how many were answered with `wanted`, and in
    how many seconds. `statuses` is told how many there were of each. A 503 has to say when to come again."""
    statuses = Counter() if statuses is None else statuses
    pace = None if per_second is None else Pace(per_second)
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    ends: list[asyncio.Future[int]] = []
    for _ in range(connections):
        done: asyncio.Future[int] = loop.create_future()
        ends.append(done)
        await loop.create_connection(
            lambda done=done: _Connection(requests, wanted, done, statuses, pace),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
    answered = sum(await asyncio.gather(*ends))
    return answered, time.monotonic() - began


def repeated(request: bytes, seconds: float) -> Iterator[bytes]:
    """The same request until the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield request


def request(method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes = b"") -> bytes:
    """A request as bytes."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + END + body
