"""The row of the ingest: a referral's POST until its answer, durable, beside a route that only echoes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench import machine
from bench.load import Orders
from bench.results import Result, against_floor
from bench.running import RunningClinic, free_port, generate, started

ROUNDS = 3
_WARM = 100
_SECONDS = 4.0
_CONNECTIONS = 16


async def ingest(clinic: RunningClinic, *, quick: bool) -> list[Result]:
    """Measure in rounds with the echo between them; the clinic runs without workers."""
    seconds = _SECONDS / 2 if quick else _SECONDS
    with echoing() as port:
        count, echoes = await _both(clinic, port, _WARM, 2000)
        count, echoes = int(count * seconds), int(echoes * seconds / 2)
        pairs, spins = [], []
        for _ in range(ROUNDS):
            spins.append(machine.spin())
            pairs.append(await _both(clinic, port, max(60, count), echoes))
    return [against_floor("ingest", "embedded", pairs, spins=spins, connections=_CONNECTIONS)]


async def _both(clinic: RunningClinic, echo: int, count: int, echoes: int) -> tuple[float, float]:
    sent = await clinic.post(count, connections=_CONNECTIONS)
    orders = Orders(port=echo, path="/echo", token="x", first=0, count=echoes, connections=_CONNECTIONS)  # noqa: S106
    given_back = await generate(orders)
    return rate_of(sent, count), rate_of(given_back, echoes)


def rate_of(sent: Mapping[str, float], count: int) -> float:
    """Give requests per second of what the generator sent."""
    return count / (sent["ended"] - sent["begun"])


@contextmanager
def echoing() -> Iterator[int]:
    """Run the bare routes for the block, and give their port."""
    port = free_port()
    with started("bench.echo", str(port)):
        yield port
