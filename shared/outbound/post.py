"""A POST to a system outside, whose answer is not read."""

from collections.abc import Mapping

from shared.outbound.exchange import Exchange


class Post:
    """The way to some hosts for what we tell them."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def send(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> int:
        """Send a body and give the status of the answer, whatever it is; raises Unreached."""
        async with self._exchange.answer("POST", url, headers=headers, body=body) as answer:
            return answer.status_code
