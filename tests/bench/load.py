"""Callers that cost little themselves: raw HTTP/1.1 on kept-alive connections."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any


class Connection:
    """One caller's connection."""

    def __init__(self, port: int, key: str) -> None:
        self.port, self.key = port, key
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The JSON of the answer; anything but 2xx is an error."""
        hung_up = self.reader is not None and self.reader.at_eof()
        if self.writer is None or self.writer.is_closing() or hung_up:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        assert self.reader is not None
        data = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        )
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self.writer.write(f"{head}{more}\r\n".encode() + data)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        lines = answer.decode("latin-1").split("\r\n")
        length = next(
            int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length")
        )
        payload = await self.reader.readexactly(length)
        if not lines[0].split(" ")[1].startswith("2"):
            raise RuntimeError(f"{method} {path}: {lines[0]}: {payload[:300]!r}")
        return json.loads(payload)

    def close(self) -> None:
        """Hang up."""
        if self.writer is not None:
            self.writer.close()


@dataclass(frozen=True, slots=True)
class Load:
    """What came out of one load: times in milliseconds, in the order in which calls ended."""

    times_ms: list[float]
    seconds: float

    @property
    def per_second(self) -> float:
        """Calls that ended in a second."""
        return len(self.times_ms) / self.seconds

    def percentile(self, share: float) -> float:
        """The time that this share of the calls did not exceed."""
        ordered = sorted(self.times_ms)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


async def closed_loop(
    port: int, key: str, callers: int, calls: int,
    job: Callable[[Connection, int], Awaitable[float]],
) -> Load:  # fmt: skip
    """`callers` at once, each starting its next call when its last one ended, `calls` in all."""
    numbers = iter(range(calls))
    times: list[float] = []

    async def caller() -> None:
        connection = Connection(port, key)
        for number in numbers:
            took = await job(connection, number)
            times.append(took)
        connection.close()

    begin = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return Load(times, time.perf_counter() - begin)


async def open_loop(
    port: int, key: str, per_second: float, calls: int,
    job: Callable[[Connection, int], Awaitable[float]],
) -> Load:  # fmt: skip
    """Calls begin by the clock, whether earlier ones have ended or not."""
    free: list[Connection] = []

    async def one(number: int) -> float:
        connection = free.pop() if free else Connection(port, key)
        took = await job(connection, number)
        free.append(connection)
        return took

    begin = time.perf_counter()
    tasks = []
    for number in range(calls):
        await asyncio.sleep(max(0.0, begin + number / per_second - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number)))
    times = await asyncio.gather(*tasks)
    for connection in free:
        connection.close()
    return Load(list(times), time.perf_counter() - begin)
