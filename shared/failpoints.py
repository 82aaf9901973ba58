"""Points at which a test can kill, stop or fail this process: the moments between two durable steps.

Invariants:
- Nothing is armed unless LUMBAR_FAILPOINT says so: a point that is reached then costs one look into an empty
  dictionary. What is armed is told in the log as a warning, once, when the process starts.
- Every point stands in `POINTS`, and every one of them in the code; a test holds both to it.

LUMBAR_FAILPOINT is `name:kill`, `name:kill@3` (at the third time, without a number at the first, with `@*` at
every time), `name:raise`, `name:sleep=2` (seconds, in which the whole process stands still), several with
commas between them.
"""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

import structlog

VARIABLE = "LUMBAR_FAILPOINT"

log = structlog.get_logger("lumbar.failpoints")

POINTS: Mapping[str, str] = {
    # relay
    "leading_not_relaying": "a new leader's epoch is committed, and it has sent nothing yet",
    "before_send": "the relay has read its batch, and nothing of it is sent",
    "acked_not_deleted": "the transport has the batch, and the outbox has it still",
    "deleted_not_committed": "the batch is deleted from the outbox, and the delete is not committed",
    "relayed": "the delete is committed",
    # consumer
    "fetched_not_handled": "a batch was read, and nothing of it is in the inbox",
    "inbox_not_handled": "the batch stands in the inbox, and no handler has run",
    "handled_not_committed": "all handlers of the batch have run, and nothing is committed",
    "committed_not_passed": "effects and position are committed, and this process does not know yet",
    "passed": "the batch is passed, and the next one is not asked for",
    "failed_not_held": "a handler has failed, its batch is rolled back, and its key is not held yet",
    "held_not_committed": "key and event are held, and that is not committed",
    # held retry
    "retry_not_handled": "a held key is locked, and its event is not tried yet",
    "retried_not_removed": "a held event is handled, and still among the held ones",
    "removed_not_committed": "a held event is handled and removed, and nothing is committed",
    # API
    "received_not_committed": "a command is carried out and its answer is made, and nothing is committed",
    "after_commit_before_publish": "a command is committed, and neither relay nor caller knows yet",
    "answered": "the answer to a command has left",
    "key_locked": "an Idempotency-Key is locked and new, and its command has not begun",
    # timers
    "timer_taken": "a timer that is due is locked, and its handler has not run",
    "timer_not_committed": "a timer's handler has run, and nothing is committed",
    "timer_fired": "a timer's effect is committed",
    # notifications
    "leased_not_sent": "messages are leased, and none is handed to its channel",
    "sent_not_recorded": "the mail server or receiver has the message, and that is not recorded",
    "recorded": "the message is recorded as sent",
}


class NoSuchPoint(ValueError):
    """What is to be armed is not understood; the text is one line that says what is allowed."""


class PointReached(Exception):
    """A point armed with `raise` was reached."""


@dataclass(frozen=True, slots=True)
class _Armed:
    point: str
    act: str
    seconds: float
    at: int | None
    times: "count[int]"


_armed: dict[str, _Armed] = {}


def reach(name: str) -> None:
    """Do what is armed for this point; nothing where nothing is."""
    armed = _armed.get(name)
    if armed is not None:
        _happen(armed)


def check(text: str) -> None:
    """Raise NoSuchPoint where this is no LUMBAR_FAILPOINT."""
    _read(text)


def arm(environment: Mapping[str, str] | None = None) -> None:
    """Arm what LUMBAR_FAILPOINT names, and nothing else; raises NoSuchPoint."""
    text = (os.environ if environment is None else environment).get(VARIABLE, "")
    _armed.clear()
    _armed.update(_read(text))
    for armed in _armed.values():
        log.warning("failpoint.armed", action=armed.act, kind=armed.point)


def _read(text: str) -> dict[str, _Armed]:
    return {armed.point: armed for armed in map(_read_one, filter(None, text.split(",")))}


def _read_one(text: str) -> _Armed:
    name, _, rest = text.strip().partition(":")
    rest, _, at = rest.partition("@")
    act, _, seconds = rest.partition("=")
    if name not in POINTS:
        raise NoSuchPoint(f"there is no point {name!r}; allowed are {', '.join(POINTS)}")
    try:
        armed = _Armed(name, act, float(seconds or 0), None if at == "*" else int(at or 1), count(1))
    except ValueError:
        armed = _Armed(name, "", 0, 0, count(1))
    if act not in ("kill", "raise", "sleep") or armed.at == 0 or (act == "sleep") != (armed.seconds > 0):
        allowed = ":kill, :raise or :sleep=SECONDS, with @N for the Nth time or @* for every time"
        raise NoSuchPoint(f"{text!r} must be {name}{allowed}")
    return armed


def _happen(armed: _Armed) -> None:
    if armed.at is not None and next(armed.times) != armed.at:
        return
    if armed.act == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif armed.act == "sleep":
        time.sleep(armed.seconds)
    else:
        raise PointReached(armed.point)
