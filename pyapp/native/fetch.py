"""Reads addresses: files of the site from the disk, others by HTTP at a rate a host can bear."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from types import TracebackType

import httpx

from pyapp.work.ports import Arrived, StatusError, UnreachableError

# Requests a second to one host, unless it asks for fewer.
RATE = 20.0
# Connections to one host.
CONNECTIONS = 6
# Answers of a host that is asked too much.
TOO_MANY = (429, 503)
# So often such an answer is waited out, and so long if the host does not say for how long; more
# than the longest is not waited for.
PATIENCE, WAIT_S, LONGEST_S = 4, 2.0, 120.0


class Files:
    """The files of a site that are on the disk: path in the site to what reads it."""

    def __init__(self, files: Mapping[str, Callable[[], bytes]]):
        self._files = files

    def read(self, path: str) -> bytes:
        """A file.

        Raises
        ------
        StatusError
            404, if there is none.
        """
        if path not in self._files:
            raise StatusError(404)
        return self._files[path]()


@dataclass
class Pace:
    """When a host may be asked next.

    Attributes
    ----------
    rate : float
        Requests a second; it is halved each time that the host says it was too much.
    """

    rate: float
    _next_s: float = 0.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def turn(self) -> None:
        """Wait until it is one's turn."""
        async with self._lock:
            wait_s = self._next_s - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self._next_s = max(self._next_s, time.monotonic()) + 1 / self.rate

    def slow_down(self, seconds: float) -> None:
        """Ask half as often from now on, and not at all for so many seconds."""
        self.rate /= 2
        self._next_s = max(self._next_s, time.monotonic() + seconds)


class NativeFetch:
    """Reads addresses; see `pyapp.work.ports.Fetch`. A context, which ends its connections.

    Parameters
    ----------
    files : Files
        What relative addresses name.
    agent : str
        How it identifies itself.
    rate : float
        Requests a second to one host.
    """

    def __init__(self, files: Files, agent: str, rate: float = RATE):
        self._files = files
        self._rate = rate
        self._paces: dict[str, Pace] = {}
        self._client = httpx.AsyncClient(
            headers={"User-Agent": agent},
            follow_redirects=True,
            limits=httpx.Limits(max_connections=4 * CONNECTIONS),
        )
        self._hosts: dict[str, asyncio.Semaphore] = {}

    async def __call__(
        self, url: str, limit_s: float, keep: bool = True, arrived: Arrived | None = None
    ) -> bytes:
        """The body of ``url``, which must arrive within ``limit_s`` seconds of being asked for.

        Raises
        ------
        StatusError, UnreachableError, TimeoutError
        """
        if "://" not in url:
            return self._files.read(url)
        host = httpx.URL(url).netloc.decode()
        pace = self._paces.setdefault(host, Pace(self._rate))
        connections = self._hosts.setdefault(host, asyncio.Semaphore(CONNECTIONS))
        for patience in reversed(range(PATIENCE + 1)):
            await pace.turn()
            async with connections:
                answer = await self._ask(url, limit_s)
            if answer.status_code == 200:
                if arrived is not None:
                    arrived(len(answer.content))
                return answer.content
            wait_s = _wanted_wait_s(answer)
            if answer.status_code not in TOO_MANY or not patience or wait_s > LONGEST_S:
                break
            pace.slow_down(wait_s)
        raise StatusError(answer.status_code)

    async def _ask(self, url: str, limit_s: float) -> httpx.Response:
        try:
            return await asyncio.wait_for(self._client.get(url, timeout=limit_s), limit_s)
        except (httpx.TimeoutException, asyncio.TimeoutError) as error:
            raise TimeoutError from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreachableError(str(error)) from error

    async def __aenter__(self) -> "NativeFetch":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()


def _wanted_wait_s(answer: httpx.Response) -> float:
    """For how long a host wants to be left alone: Retry-After of RFC 9110 (10.2.3).

    Returns
    -------
    float
        Seconds; `WAIT_S` if it does not say, or not understandably.
    """
    said = answer.headers.get("Retry-After", "")
    if said.isdecimal():
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return WAIT_S
    if until.tzinfo is None:
        until = until.replace(tzinfo=timezone.utc)
    return max(0.0, (until - datetime.now(timezone.utc)).total_seconds())
