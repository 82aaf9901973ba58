"""Long checks run beside the event loop: in one worker process that is started when it is first needed.

A check holds the interpreter for 1 ms per 10 KB, and a resource type that nobody sent before has to be
imported first. The worker ends with this process, also when this process is killed.
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
from shared.fhir.check import limits, schema, steps
from shared.fhir.check.schema import words

INLINE_BYTES = 64 * 1024

# What the clinic's doors take; every other type is compiled in the worker.
_CARE = words(
    "Appointment AppointmentResponse Bundle CarePlan CareTeam Claim ClaimResponse Communication Composition"
    " Condition Consent Coverage DocumentReference Encounter Goal List Location MessageHeader Observation"
    " OperationOutcome Organization Parameters Patient Practitioner PractitionerRole Questionnaire"
    " QuestionnaireResponse RelatedPerson Schedule ServiceRequest Slot Task"
)
_TYPE = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]{1,64})"')

_pool: ProcessPoolExecutor | None = None


@cache
def warm() -> frozenset[str]:
    """Compile the types of the clinic's doors, so that no request pays for it; called at start."""
    for name in _CARE:
        _compile(name, seen=set())
    return _CARE


def close() -> None:
    """End the worker process, if there is one."""
    global _pool
    if _pool is not None:
        _pool.shutdown(wait=False, cancel_futures=True)
        _pool = None


async def decoded(body: bytes) -> dict[str, Any]:
    """Decode a body under the limits; a long one in a thread (the parsers are C and let go in between)."""
    if len(body) <= INLINE_BYTES or len(body) > limits.MAX_BYTES:
        return limits.decoded(body)
    return await asyncio.to_thread(limits.decoded, body)


async def problems_of(body: bytes, data: Mapping[str, Any]) -> list[Problem]:
    """Check a decoded body, beside the loop where that takes long."""
    known = await asyncio.to_thread(warm) if warm.cache_info().currsize == 0 else warm()
    types = {found.decode() for found in _TYPE.findall(body)}
    if len(body) <= INLINE_BYTES and types <= known:
        return steps.problems_of(data)
    try:
        return await asyncio.get_running_loop().run_in_executor(_worker(), _work, body)
    except BrokenExecutor:  # the worker was killed: the check still has to be made
        close()
        return await asyncio.to_thread(steps.problems_of, data)


def _worker() -> ProcessPoolExecutor:
    global _pool
    if _pool is None:
        context = multiprocessing.get_context("spawn")
        _pool = ProcessPoolExecutor(max_workers=1, mp_context=context, initializer=_end_with_parent)
    return _pool


def _work(body: bytes) -> list[Problem]:
    return steps.problems_of(limits.decoded(body))


def _end_with_parent() -> None:
    """Watch the parent: a killed one cannot say goodbye, and its worker would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(0)


def _compile(name: str, *, seen: set[str]) -> None:
    if name in seen or name == "Resource":
        return
    seen.add(name)
    for member in schema.shape_of(name).members.values():
        if not member.primitive:
            _compile(member.type, seen=seen)
