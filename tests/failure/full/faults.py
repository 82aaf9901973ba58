"""The faults that come from outside while the stories' traffic goes on: kills, storms, stores away."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

from shared.clock import monotonic
from tests.failure.full.run import Fault, Harm, Run
from tests.failure.mayhem import kill_one_by_one
from tests.failure.traffic import Traffic
from tests.failure.walk import walk_all

_STORM_PAUSE = 2.0
_TRIES_EVERY = 0.25


def kills(number: int) -> Fault:
    """Kill single processes `number` times."""

    async def fault(run: Run, traffic: Traffic) -> Harm:
        begin = monotonic()
        done = await kill_one_by_one(run.place, kills=number, chance=run.chance, pause=0.7)
        remark = ", ".join(f"{target} {times}" for target, times in sorted(done.by_target.items()))
        return Harm(
            injected=number,
            recoveries=done.recoveries,
            since=begin,
            until=monotonic(),
            remarks=[f"killed: {remark}"],
        )

    return fault


def storm(seconds: float) -> Fault:
    """Kill a worker every two seconds, so that its groups are dealt out anew all the time."""

    async def fault(run: Run, traffic: Traffic) -> Harm:
        begin = monotonic()
        done = await kill_one_by_one(
            run.place,
            kills=int(seconds / _STORM_PAUSE),
            chance=run.chance,
            pause=_STORM_PAUSE,
            among=lambda target: "-worker-" in target,
        )
        killed = done.by_target.total()
        return Harm(injected=killed, recoveries=done.recoveries, since=begin, until=monotonic())

    return fault


def points() -> Fault:
    """Kill every process at each of its points; raises AssertionError where one was not reached."""

    async def fault(run: Run, traffic: Traffic) -> Harm:
        begin = monotonic()
        await traffic.warm_up()
        walked = await walk_all(run.place, chance=run.chance)
        if walked.missed:
            raise AssertionError(f"not reached: {walked.missed}")
        return Harm(injected=len(walked.deaths), since=begin, until=monotonic())

    return fault


def broker_away(seconds: float) -> Fault:
    """Kill the broker, and start it again after some seconds: the API must go on answering."""
    return _store_away("kafka", seconds)


def database_away(seconds: float) -> Fault:
    """Kill PostgreSQL for some seconds: the API must answer 503 with Retry-After."""

    async def fault(run: Run, traffic: Traffic) -> Harm:
        harm = await _store_away("postgres", seconds)(run, traffic)
        refused = [
            asking
            for asking in traffic.history.askings
            if harm.since + 1 <= asking.at < harm.until - 1 and asking.ingest
        ]
        statuses = sorted({str(asking.status) for asking in refused})
        polite = sum(asking.status == 503 and asking.retry_after for asking in refused)
        harm.remarks.append(
            f"{len(refused)} referrals were sent meanwhile, {polite} answered 503 with Retry-After;"
            f" the answers were {', '.join(statuses) or 'none'}"
        )
        return harm

    return fault


def broker_silent(seconds: float) -> Fault:
    """Let the broker fall silent with its connections open."""

    async def fault(run: Run, traffic: Traffic) -> Harm:
        begin = monotonic()
        broker = run.place.cluster.processes["kafka"]
        broker.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        broker.send_signal(signal.SIGCONT)
        return Harm(injected=1, since=begin, until=monotonic(), recoveries=[await answers_again(traffic)])

    return fault


def _store_away(name: str, seconds: float) -> Callable[[Run, Traffic], Awaitable[Harm]]:
    async def fault(run: Run, traffic: Traffic) -> Harm:
        await asyncio.sleep(5)
        run.place.cluster.kill(name)
        begin = monotonic()
        await asyncio.sleep(seconds)
        end = monotonic()
        run.place.cluster.start_process(name)
        return Harm(
            injected=1,
            since=begin,
            until=end,
            recoveries=[await answers_again(traffic)],
            remarks=_ended(run),
        )

    return fault


async def answers_again(traffic: Traffic) -> float:
    """Wait until a referral that is sent from now on is acknowledged, and tell the seconds that took."""
    begin = monotonic()
    while monotonic() < begin + 120:
        answered = [
            one for one in traffic.history.askings if one.ingest and one.at > begin and one.status == 200
        ]
        if answered:
            return answered[0].at + answered[0].seconds - begin
        await asyncio.sleep(_TRIES_EVERY)
    raise AssertionError("no referral is acknowledged two minutes after the end of the fault")


def _ended(run: Run) -> list[str]:
    gone = [target for target in run.place.targets if run.place.cluster.processes[target].poll() is not None]
    return [f"{', '.join(gone)} ended by themselves"] if gone else []
