"""A GET from a system outside, of a bounded answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.outbound.exchange import Exchange, Unreached


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """What a system outside has answered; the names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Get:
    """The way to some hosts for what we read there."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def fetch(self, url: str, *, longest: int) -> Got:
        """Read an answer, whatever its status; raises Unreached, also where it has more than `longest` bytes.

        It is asked for as it stands, so that a packed answer cannot be longer than what was counted.
        """
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with self._exchange.answer("GET", url, headers=headers) as answer:
            body = b""
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > longest:
                    raise Unreached("the answer is too long")
            return Got(status=answer.status_code, headers=dict(answer.headers), body=body)
