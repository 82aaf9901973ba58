"""Long checks run beside the event loop: in one worker process that is started when it is first needed.

To say all that is wrong holds the interpreter for 1 ms per 10 KB, and a resource type that nobody sent before
has to be imported first. The worker ends with this process, also when this process is killed.
"""

import asyncio
import multiprocessing
import os
import re
import threading
from collections.abc import Mapping
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from functools import cache
from multiprocessing import connection
from typing import Any

from shared.errors import Problem
from shared.fhir.check import limits, steps
from shared.fhir.check.quick import Quick
from shared.fhir.check.schema import words

# Up to here a body is held to the compiled validators where it is; that costs 1.5 ms at most.
INLINE_BYTES = 64 * 1024
# Up to here a body that they refuse is also explained where it is: 2 ms at most, where waking the worker
# process costs a second the first time.
EXPLAINED_INLINE_BYTES = 6 * 1024

# What the clinic's doors take; every other type is compiled in the worker.
_CARE = words(
    "Appointment AppointmentResponse Bundle CarePlan CareTeam Claim ClaimResponse Communication Composition"
    " Condition Consent Coverage DocumentReference Encounter Goal List Location MessageHeader Observation"
    " OperationOutcome Organization Parameters Patient Practitioner PractitionerRole Questionnaire"
    " QuestionnaireResponse RelatedPerson Schedule ServiceRequest Slot Task"
)
_TYPE = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]{1,64})"')

_pool: ProcessPoolExecutor | None = None
_compiling = threading.Lock()


def warm() -> Quick:
    """Compile the types of the clinic's doors, once, so that no request pays for it; called at start.

    One thread at a time: msgspec finds the types of a Struct by name, and of two that compile at once one met
    the other's half-made types and took the process down.
    """
    with _compiling:
        return _compiled()


@cache
def _compiled() -> Quick:
    return Quick(_CARE)


def close() -> None:
    """End the worker process, if there is one."""
    global _pool
    if _pool is not None:
        _pool.shutdown(wait=False, cancel_futures=True)
        _pool = None


async def read(body: bytes) -> tuple[dict[str, Any], bool]:
    """Decode a body under the limits, and say whether it is surely right.

    Of a body that is not, or that is long, nothing is known yet but that it keeps the limits. A long one is
    decoded in a thread: the parsers are C and let go in between.
    """
    if INLINE_BYTES < len(body) <= limits.MAX_BYTES:
        return await asyncio.to_thread(limits.decoded, body), False
    data = limits.parsed(body)
    if (await _ready()).accepts(body, data):
        return data, True
    limits.hold(body, data)
    return data, False


async def problems_of(body: bytes, data: Mapping[str, Any]) -> list[Problem]:
    """Say all that is wrong with a decoded body, beside the loop where that takes long."""
    if len(body) <= EXPLAINED_INLINE_BYTES and _types(body) <= _CARE:
        return steps.problems_of(data)
    try:
        return await asyncio.get_running_loop().run_in_executor(_worker(), _work, body)
    except BrokenExecutor:  # the worker was killed: the check still has to be made
        close()
        return await asyncio.to_thread(steps.problems_of, data)


async def _ready() -> Quick:
    return await asyncio.to_thread(warm) if _compiled.cache_info().currsize == 0 else _compiled()


def _types(body: bytes) -> set[str]:
    return {found.decode() for found in _TYPE.findall(body)}


def _worker() -> ProcessPoolExecutor:
    global _pool
    if _pool is None:
        context = multiprocessing.get_context("spawn")
        _pool = ProcessPoolExecutor(max_workers=1, mp_context=context, initializer=_end_with_parent)
    return _pool


def _work(body: bytes) -> list[Problem]:
    data = limits.decoded(body)
    if len(body) > INLINE_BYTES and _types(body) <= _CARE and warm().accepts(body, data):
        return []
    return steps.problems_of(data)


def _end_with_parent() -> None:
    """Watch the parent: a killed one cannot say goodbye, and its worker would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(0)
