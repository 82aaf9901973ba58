"""One request to a system outside and its answer: no redirect is followed, no proxy is asked.

Invariant: what it tells of a failure is one of a few words, never an address or what the other side said.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from shared.outbound.guard import AddressGuard, NotAllowed

WITHIN = 15.0
_EACH_STEP = httpx.Timeout(10.0, connect=5.0)


class Unreached(Exception):
    """No answer came; the text is one of a few words that say why."""


class Exchange:
    """The way to the hosts that a guard allows."""

    def __init__(self, guard: AddressGuard, *, tls: ssl.SSLContext) -> None:
        self._guard = guard
        self._tls = tls

    @asynccontextmanager
    async def answer(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> AsyncIterator[httpx.Response]:
        """Send a request and give its answer, whose body is not read yet, for the block; raises Unreached.

        Request and block take WITHIN seconds at most. Every call asks for the name's addresses again.
        """
        try:
            async with asyncio.timeout(WITHIN):
                target = await self._guard.target(url)
                client = httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=_EACH_STEP)
                async with client:
                    request = client.build_request(
                        method,
                        httpx.URL(url).copy_with(host=target.address),
                        content=body,
                        headers={**headers, "Host": target.netloc, "Connection": "close"},
                        extensions={"sni_hostname": target.host},
                    )
                    answer = await client.send(request, stream=True, follow_redirects=False)
                    try:
                        yield answer
                    finally:
                        await answer.aclose()
        except NotAllowed as refused:
            raise Unreached(str(refused)) from None
        except (TimeoutError, httpx.TimeoutException):
            raise Unreached("no answer in time") from None
        except httpx.ConnectError as error:
            failed = isinstance(_cause(error), ssl.SSLError)
            raise Unreached("no trusted certificate" if failed else "no connection") from None
        except httpx.HTTPError:
            raise Unreached("the connection broke") from None
        except (OSError, UnicodeError):
            raise Unreached("the name has no address") from None


def _cause(error: BaseException) -> BaseException:
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error
