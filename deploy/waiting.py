"""Waiting for what tells nobody that it has happened: a process that starts, a lock, a file."""

import time
from collections.abc import Callable


def wait_until(reached: Callable[[], bool], *, seconds: float, every: float = 0.005) -> bool:
    """Wait for something, looked for `every` so many seconds, and tell whether it came in time; `math.inf`
    waits for as long as it takes.
    """
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
