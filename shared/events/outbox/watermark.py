"""From which id on the relay looks into the outbox: below it nothing can appear any more.

A queue that is read at its front and deleted there leaves dead rows in front of the living ones; while an old
snapshot keeps them, each look walks over all of them. So the relay begins above what is proved to be done.

Invariants:
- An id counts as done only when every transaction that ran while it was the newest has ended, and a look
  with a later snapshot found nothing at or below it. So no row is overtaken by a later one of its aggregate.
- What is found is found for one way of the relay: each has a watermark of its own (relay.py).
- `_MARGIN` ids below that are looked at again each time, and once in `_SWEEP` seconds everything: a row
  that nobody expected any more is still sent, late.
"""

from shared.clock import monotonic

_MARGIN = 1000
_SWEEP = 1.0


class Watermark:
    """What is proved to be done, and what is still to be proved; times are machine times."""

    def __init__(self) -> None:
        self._done = 0
        self._newest = 0
        self._to_prove: tuple[int, int] | None = None
        self._swept_at = float("-inf")
        self._sweeping = False

    def begin(self) -> int:
        """Return above which id to look now."""
        self._sweeping = monotonic() >= self._swept_at + _SWEEP
        return 0 if self._sweeping else max(0, self._done - _MARGIN)

    def looked(self, *, newest: int | None, everything: bool, oldest_running: int, next_to_run: int) -> None:
        """Take over what a look found: the newest id that it knows of, whether that was all there was to be
        seen, and its snapshot (the oldest transaction still running, and the next that will begin).
        """
        self._newest = max(self._newest, newest or 0)
        if not everything:
            return
        if self._sweeping:
            self._swept_at = monotonic()
        if self._to_prove is not None and oldest_running >= self._to_prove[1]:
            self._done, self._to_prove = self._to_prove[0], None
        if self._to_prove is None and self._newest > self._done:
            self._to_prove = (self._newest, next_to_run)
