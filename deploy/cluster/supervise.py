"""`lumbar cluster up` and `down`: a cluster whose processes come back when they end, until it is stopped.

Invariants:
- A process that ends is started again after a pause that doubles up to 30 s while it keeps ending.
- Nothing is left behind: what is stopped politely is waited for, and a killed supervisor takes all with it.
"""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from deploy.cluster.cluster import Cluster
from deploy.cluster.place import ClusterError, is_held, running_cluster
from deploy.embedded import EmbeddedError
from deploy.kafka import LocalKafkaError
from deploy.serve.http import Asked

_LOOKS_EVERY = 0.2
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_WELL_AFTER = 60.0
_STOPS_WITHIN = 60.0

log = structlog.get_logger("lumbar.cluster")


@dataclass(slots=True)
class _Patience:
    """How long to wait before a process is started again."""

    pause: float = _FIRST_PAUSE
    started_at: float = 0.0
    again_at: float | None = None

    def ended(self, now: float) -> None:
        """Note that it has ended."""
        well = now - self.started_at > _WELL_AFTER
        self.pause = _FIRST_PAUSE if well else min(self.pause * 2, _LONGEST_PAUSE)
        self.again_at = now + self.pause

    def started(self, now: float) -> None:
        """Note that it was started again."""
        self.started_at, self.again_at = now, None


def run(cluster: Cluster, *, ready: Callable[[], None]) -> None:
    """Run a cluster until SIGTERM or SIGINT; raises ClusterError, EmbeddedError or LocalKafkaError.

    Must be called in the main thread; `ready` is called when every process says that it is ready.
    """
    asked = Asked.listening()
    with cluster:
        cluster.start()
        waiting: Callable[[], None] | None = ready
        patience = {name: _Patience(started_at=time.monotonic()) for name in cluster.processes}
        while not asked.to_stop:
            for which, one in patience.items():
                _look_after(cluster, which, one)
            if waiting is not None and cluster.is_ready():
                waiting()
                waiting = None
            time.sleep(_LOOKS_EVERY)


def stop(folder: Path) -> None:
    """Stop the cluster that runs in a folder, by force where it does not; raises ClusterError for none."""
    running = running_cluster(folder)
    if running is None:
        raise ClusterError(f"no cluster runs in {folder}")
    for insistent in (signal.SIGTERM, signal.SIGKILL):
        os.kill(running.pid, insistent)
        deadline = time.monotonic() + _STOPS_WITHIN
        while time.monotonic() < deadline:
            if not is_held(folder):
                return
            time.sleep(0.05)
    raise ClusterError(f"the cluster in {folder} does not stop (process {running.pid})")


def _look_after(cluster: Cluster, which: str, patience: _Patience) -> None:
    now = time.monotonic()
    if cluster.processes[which].poll() is None:
        return
    if patience.again_at is None:
        patience.ended(now)
        status = cluster.processes[which].returncode
        log.warning("cluster.process-ended", process=which, status=status, again_in=patience.pause)
    elif now >= patience.again_at:
        patience.started(now)
        try:
            cluster.start_process(which)
        except (EmbeddedError, LocalKafkaError) as error:
            log.warning("cluster.process-not-started", process=which, error=type(error).__name__)
            patience.ended(now)
