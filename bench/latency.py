"""The rows of time: latency at a fifth of the maximum rate, what ease costs, and how a burst drains."""

from bench import machine
from bench.clinic import SITES, coordinator_of, site_of
from bench.main_path import round_of
from bench.rest import Databases
from bench.results import Result, percentile
from bench.running import RunningClinic

SHARE = 0.2
_SITES = 3
_WARM = 60
_LANES = 32
_BURST_SECONDS = 10.0
_EASE = 6.7
LAST = "careteam.formed"
_SHOWN = {"received": "referral.received", "booked": "appointment.booked", "notified": LAST}


async def latency(
    clinic: RunningClinic, *, transport: str, quick: bool, maximum: float | None
) -> list[Result]:
    """Send a fifth of the maximum rate, open loop, and read when the feed told of each step.

    A latency begins when the referral was due to be sent and ends when a coordinator's live feed shows that
    the team was formed, the last step of the path.
    """
    databases = await Databases.of(clinic)
    warm = await round_of(clinic, databases, 2 * _WARM)
    rate, spin = (maximum or warm.rate) * SHARE, machine.spin()
    feeds = tuple([await clinic.token(coordinator_of(site_of(number))) for number in range(_SITES)])
    count = max(20, int(rate * (10 if quick else 30)))
    sent = await clinic.post(count, rate=rate, sites=_SITES, connections=_LANES, feeds=feeds)
    await databases.rest(total=await databases.done(), within=60)
    await databases.close()
    steps = {name: percentiles(sent["heard"][event]) for name, event in _SHOWN.items()}
    return [
        Result(
            row="latency_p99",
            transport=transport,
            value=steps["notified"]["p99"],
            unit="ms",
            spin=round(spin, 2),
            details={
                **steps["notified"],
                "answered": percentiles(sent["answered"]),
                **{name: steps[name] for name in ("received", "booked")},
                "rate": round(rate, 1),
                "samples": count,
            },
        )
    ]


async def at_ease(clinic: RunningClinic, *, transport: str, quick: bool) -> list[Result]:
    """Send a few referrals a second while every site's coordinator listens, and tell what each costs."""
    databases = await Databases.of(clinic)
    await round_of(clinic, databases, 2 * _WARM)
    feeds = tuple([await clinic.token(coordinator_of(site_of(number))) for number in range(SITES)])
    count, spin, total = 60 if quick else 200, machine.spin(), await databases.done()
    before = clinic.cpu()
    await clinic.post(count, rate=_EASE, connections=_LANES, feeds=feeds)
    used = clinic.cpu()
    await databases.rest(total=total + count, within=60)
    await databases.close()
    parts = {name: round((seconds - before[name]) / count * 1000, 2) for name, seconds in used.items()}
    return [
        Result(
            row="cpu_at_ease",
            transport=transport,
            value=round(sum(parts.values()), 2),
            unit="ms",
            spin=round(spin, 2),
            details={**parts, "rate": _EASE, "feeds": len(feeds), "referrals": count},
        )
    ]


async def burst(clinic: RunningClinic, *, transport: str, maximum: float | None) -> list[Result]:
    """Send ten times the usual rate (a fifth of the maximum) for 10 s, and time how long it drains after."""
    databases = await Databases.of(clinic)
    warm = await round_of(clinic, databases, 2 * _WARM)
    rate, spin = 10 * SHARE * (maximum or warm.rate), machine.spin()
    total = await databases.done() + int(rate * _BURST_SECONDS)
    sent = await clinic.post(int(rate * _BURST_SECONDS), rate=rate, connections=_LANES)
    ended = await databases.rest(total=total, within=300)
    await databases.close()
    return [
        Result(
            row="burst_drain",
            transport=transport,
            value=round(max(0.0, ended - sent["begun"] - _BURST_SECONDS), 2),
            unit="s",
            spin=round(spin, 2),
            details={
                "rate": round(rate, 1),
                "referrals": int(rate * _BURST_SECONDS),
                "answered_after_s": round(sent["ended"] - sent["begun"], 2),
            },
        )
    ]


def percentiles(values: list[float]) -> dict[str, float]:
    """Give p50, p99 and p99.9."""
    named = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
    return {name: round(percentile(values, share), 1) for name, share in named.items()}
