"""Long checks run in a worker process: same answers, a free loop, and no end when the worker is killed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import Invalid, Refusal
from shared.fhir import check
from shared.fhir.check import offload

ROOT = Path(__file__).parents[3]
ENTRY = b'{"resource":{"resourceType":"Patient","name":[{"text":"%s"}],"gender":"%s"}}'

ENTRY_ALONE = b'{"resourceType":"Patient","gender":"%s"}'


@pytest.fixture(autouse=True)
def no_worker_left() -> Iterator[None]:
    check.close()
    yield
    check.close()


def big(gender: bytes) -> bytes:
    """A Bundle of 200 entries that is long enough for the worker."""
    entries = b",".join([ENTRY % (b"x" * 1000, gender)] * 200)
    return b'{"resourceType":"Bundle","type":"collection","entry":[%s]}' % entries


def slowness() -> float:
    """Say how many times longer this machine now takes for a loop of 5 ms, at least once."""
    started = time.thread_time()
    sum(number * number for number in range(100_000))
    return max(1.0, (time.thread_time() - started) / 0.005)


def worker() -> int:
    """Give the process id of the worker."""
    pool = offload._pool
    assert pool is not None
    return next(iter(pool._processes))


async def test_a_long_bundle_is_checked_in_another_process_with_the_same_answer() -> None:
    assert len((await check.receive(big(b"male"))).entries) == 200
    assert worker() != os.getpid()
    with pytest.raises(Invalid) as refused:
        await check.receive(big(b"x"))
    assert len(refused.value.problems) == 100
    assert refused.value.problems[99].expression == "Bundle.entry[99].resource.gender"


async def test_a_rare_type_is_not_compiled_in_this_process() -> None:
    with pytest.raises(Invalid):
        await check.receive(b'{"resourceType":"Ingredient"}')
    assert worker() != os.getpid()


async def test_a_killed_worker_is_replaced() -> None:
    await check.receive(big(b"male"))
    first = worker()
    os.kill(first, signal.SIGKILL)
    assert len((await check.receive(big(b"male"))).entries) == 200
    assert len((await check.receive(big(b"female"))).entries) == 200
    assert worker() != first


async def test_the_loop_stays_free_while_long_bodies_are_checked() -> None:
    await check.receive(big(b"male"))
    receiving = asyncio.gather(*(check.receive(big(b"male")) for _ in range(10)))
    longest, last = 0.0, time.thread_time()  # of this thread alone: a busy machine does not count
    while not receiving.done():
        await asyncio.sleep(0)
        longest, last = max(longest, time.thread_time() - last), time.thread_time()
    await receiving
    assert longest < 0.25


async def test_a_refused_body_of_usual_length_is_explained_without_the_worker() -> None:
    with pytest.raises(Invalid):
        await check.receive(ENTRY_ALONE % b"x")
    assert offload._pool is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceType":"Bundle","type":"collection","entry":[%s{}]}' % (b'{"fullUrl":{}},' * 190),
        b'{"resourceType":"Patient","name":[%s{}]}' % (b"{}," * 1_900),
        b'{"resourceType":"Patient","name":[%s{}]}' % (b'{"use":"x","given":[null]},' * 220),
        b'{"resourceType":"Patient","name":[{"text":"%s"}]}' % (b"\\u0007" * 750),
        b'{"resourceType":"Patient","photo":[{"contentType":"a/b","data":"%s"}]}' % (b"QUJD" * 1_400 + b"!"),
        b'{"resourceType":"Patient","language":"%s "}' % (b"a a" * 1_900),
        b'{"resourceType":"Patient","extension":%s1%s}' % (b'[{"extension":' * 30, b"}]" * 30),
        b'{"resourceType":"Patient",%s"active":1}' % (b'"active":true,' * 420),
        b'{"resourceType":"Patient","text":{"status":"empty","div":"%s"}}' % (b"<div>" * 1_100),
    ],
    ids=lambda body: body[:60].decode(),
)
async def test_a_hostile_body_that_keeps_the_limits_holds_the_loop_no_100_ms(body: bytes) -> None:
    assert len(body) <= offload.EXPLAINED_INLINE_BYTES
    offload.warm()
    started = time.thread_time()
    with pytest.raises(Refusal):
        await check.receive(body)
    assert time.thread_time() - started < 0.1 * slowness()


AT_ONCE = """
import sys, threading
from pathlib import Path
sys.setswitchinterval(1e-5)
from shared.fhir.check import limits, offload
body = Path(sys.argv[1]).read_bytes()
data = limits.parsed(body)
threads = [threading.Thread(target=lambda: print(offload.warm().accepts(body, data))) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_threads_that_ask_for_the_validators_at_once_do_not_compile_beside_each_other() -> None:
    referral = ROOT / "examples" / "referrals" / "01-rapid-access-routine.json"
    ended = subprocess.run(
        [sys.executable, "-c", AT_ONCE, str(referral)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
