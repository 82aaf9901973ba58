"""/metrics: what the workers have left to do, and the last known where a database does not answer."""

from shared.events.worker import Figures
from shared.telemetry import metrics


class AWorker:
    def __init__(self, *, outbox: int) -> None:
        self.outbox = outbox
        self.answers = True

    async def figures(self) -> Figures:
        if not self.answers:
            raise ConnectionRefusedError
        return Figures(
            outbox=self.outbox,
            lag={"lumbar.referral": 3},
            held_retrying=1,
            held_dead=2,
            timers_due=4,
            loops_pending=0,
            next_timer=None,
        )


class TestFigures:
    async def test_of_workers_are_read_when_asked_for(self) -> None:
        told = (await metrics.exposition({"a-service": AWorker(outbox=7)})).decode()
        lines = [line for line in told.splitlines() if "a-service" in line and not line.startswith("#")]
        values = {line.partition("{")[0]: line.rpartition(" ")[2] for line in lines if "dead" not in line}
        assert values["lumbar_outbox_rows"] == "7.0"
        assert values["lumbar_consumer_lag"] == "3.0"
        assert values["lumbar_held_keys"] == "1.0"
        assert values["lumbar_timers_due"] == "4.0"

    async def test_stay_and_say_so_when_the_database_does_not_answer(self) -> None:
        worker = AWorker(outbox=7)
        await metrics.exposition({"b-service": worker})
        worker.answers = False
        told = (await metrics.exposition({"b-service": worker})).decode()
        lines = [line for line in told.splitlines() if "b-service" in line]
        assert any(line.startswith("lumbar_outbox_rows") and line.endswith(" 7.0") for line in lines)
        assert any(line.startswith("lumbar_worker_readable") and line.endswith(" 0.0") for line in lines)
