"""/metrics: what the workers have left to do, and the last known where a database does not answer."""

from collections.abc import Mapping

from shared.events.worker_status import WorkerStatus
from shared.telemetry import metrics


class AWorker:
    def __init__(self, *, outbox: int) -> None:
        self.outbox = outbox
        self.answers = True

    async def read_status(self) -> WorkerStatus:
        if not self.answers:
            raise ConnectionRefusedError
        return WorkerStatus(
            outbox=self.outbox,
            outbox_age=61.5,
            leads=True,
            lag={"lumbar.referral": 3},
            in_hand_age=2.0,
            held={"retrying": (1, 5.0), "dead": (2, 600.0)},
            timers_due=4,
            timers_late=90.0,
            failing={"relay": 2},
        )


class ADatabase:
    def __init__(self, name: str, *, well: bool) -> None:
        self.name = name
        self.well = well
        self.max_connections = 10

    def connections(self) -> Mapping[str, int]:
        return {"idle": 1, "used": 2}

    async def ping(self) -> bool:
        return self.well


def value(told: str, series: str) -> float:
    """Read one series of an exposition."""
    (line,) = [line for line in told.splitlines() if line.startswith(f"{series} ")]
    return float(line.rpartition(" ")[2])


class TestFigures:
    async def test_of_workers_are_read_when_asked_for(self) -> None:
        told = (await metrics.exposition({"a-service": AWorker(outbox=7)})).decode()
        assert value(told, 'lumbar_outbox_rows{service="a-service"}') == 7
        assert value(told, 'lumbar_outbox_oldest_age_seconds{service="a-service"}') == 61.5
        assert value(told, 'lumbar_relay_leading{service="a-service"}') == 1
        assert value(told, 'lumbar_consumer_lag{service="a-service",topic="lumbar.referral"}') == 3
        assert value(told, 'lumbar_held_keys{service="a-service",state="dead"}') == 2
        assert value(told, 'lumbar_held_oldest_age_seconds{service="a-service",state="dead"}') == 600
        assert value(told, 'lumbar_timers_due{service="a-service"}') == 4
        assert value(told, 'lumbar_worker_loop_failing{loop="relay",service="a-service"}') == 2

    async def test_stay_and_say_so_when_the_database_does_not_answer(self) -> None:
        worker = AWorker(outbox=7)
        await metrics.exposition({"b-service": worker})
        worker.answers = False
        told = (await metrics.exposition({"b-service": worker})).decode()
        assert value(told, 'lumbar_outbox_rows{service="b-service"}') == 7
        assert value(told, 'lumbar_worker_readable{service="b-service"}') == 0
        assert value(told, 'lumbar_relay_leading{service="b-service"}') == 0

    async def test_of_databases_say_whether_they_answer_and_how_many_connections_are_used(self) -> None:
        told = (
            await metrics.exposition({}, [ADatabase("well", well=True), ADatabase("away", well=False)])
        ).decode()
        assert value(told, 'lumbar_database_reachable{service="well"}') == 1
        assert value(told, 'lumbar_database_reachable{service="away"}') == 0
        used = 'db_client_connection_pool_name="well",db_client_connection_state="used"'
        assert value(told, f"db_client_connection_count{{{used}}}") == 2

    async def test_of_the_process_have_the_names_of_opentelemetry(self) -> None:
        told = (await metrics.exposition({})).decode()
        assert value(told, "process_memory_usage_bytes") > 10_000_000
        assert value(told, 'process_cpu_time_seconds_total{cpu_mode="user"}') > 0
        assert value(told, "process_uptime_seconds") > 0
