"""A whole cluster on Kafka, two of every process, as its clients see it: booked, told, nothing noticed."""

import asyncio
import re
from collections.abc import Iterator

import httpx
import pytest

from deploy.cluster import Cluster
from tests.support.cluster import PATIENCE, Client
from tests.support.eventually import eventually
from tests.support.folders import open_folder
from tests.support.kafka import kafka_of_run

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("a cluster on Kafka")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster that is ready, on the run's Kafka."""
    kafka = kafka_of_run()
    with (
        open_folder() as folder,
        Cluster(folder / "cluster", transport="kafka", durable=False, kafka=kafka) as running,
    ):
        running.start()
        running.wait_until_ready(within=300)
        yield running


async def test_a_referral_is_booked_and_the_coordinators_feed_shows_it(cluster: Cluster) -> None:
    async with Client.of(cluster, "family-practice") as practice:
        request = await practice.send_referral(number=1)
        assert (await practice.booked(request))["status"] == "booked"
    async with Client.of(cluster, "coordinator") as coordinator:
        heard = await coordinator.hear("referral.accepted", "appointment.booked")
        first, _, _ = heard[0]
        again = await coordinator.hear("appointment.booked", after=first)
    assert [entry for entry in heard if entry[0] > first] == again[: len(heard) - 1]


async def test_every_process_tells_its_health_and_its_figures(cluster: Cluster) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        for name in (one for one in cluster.processes if one not in ("kafka", "postgres")):
            address = cluster.address(name)
            assert (await http.get(f"{address}/healthz")).text == "alive\n", name
            readiness = (await http.get(f"{address}/readyz")).json()
            assert readiness["ready"], f"{name}: {readiness}"
            assert {need["kind"] for need in readiness["needs"]} == needs_of(name), name
            told = (await http.get(f"{address}/metrics")).text
            for figure in ("process_uptime_seconds", "lumbar_event_loop_lag_seconds_count"):
                assert figure in told, f"{name}: {figure}"
            assert ("lumbar_relay_leading{" in told) == ("-worker-" in name), name
            assert ("lumbar_database_reachable{" in told) == (name != "gateway"), name


def needs_of(name: str) -> set[str]:
    """Name the kinds of things that a process cannot work without."""
    if name == "gateway":
        return {"upstream"}
    return {"database", "broker", "leader", "worker"} if "-worker-" in name else {"database"}


async def test_a_killed_leader_of_the_relay_is_replaced(cluster: Cluster) -> None:
    killed = await leader(cluster, "referral")
    cluster.kill(killed)
    async with Client.of(cluster, "family-practice") as practice:
        request = await practice.send_referral(number=2)
        assert (await practice.booked(request))["status"] == "booked"
    assert await leader(cluster, "referral") != killed
    cluster.start_process(killed)
    await asyncio.to_thread(cluster.wait_until_ready, within=PATIENCE, names=[killed])


async def test_a_killed_replica_of_an_api_is_not_noticed(cluster: Cluster) -> None:
    async with Client.of(cluster, "family-practice") as practice:
        asking = asyncio.create_task(ask(practice, times=60))
        cluster.kill("referral-api-0")
        request = await practice.send_referral(number=3)
        assert set(await asking) == {200}
        assert (await practice.booked(request))["status"] == "booked"
        cluster.start_process("referral-api-0")
        await asyncio.to_thread(cluster.wait_until_ready, within=PATIENCE, names=["referral-api-0"])
        assert set(await ask(practice, times=4)) == {200}


async def test_a_stop_ends_streams_answers_what_is_in_hand_and_gives_the_lead_back(cluster: Cluster) -> None:
    async with Client.of(cluster, "coordinator") as coordinator:
        opened = asyncio.Event()
        stream = asyncio.create_task(drain(coordinator, opened))
        await asyncio.wait_for(opened.wait(), PATIENCE)
        asking = asyncio.create_task(ask(coordinator, times=20))
        for name in ("notifications-api-0", "notifications-api-1"):
            assert await asyncio.to_thread(cluster.stop_process, name, within=PATIENCE) == 0
        await asyncio.wait_for(stream, PATIENCE)
        assert set(await asking) == {200}
        refused = await coordinator.http.get("/notifications/fhir/metadata")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["resourceType"] == "OperationOutcome"
    led = await leader(cluster, "scheduling")
    assert await asyncio.to_thread(cluster.stop_process, led, within=PATIENCE) == 0
    assert await leader(cluster, "scheduling") != led


async def ask(client: Client, *, times: int) -> list[int]:
    """Ask for the Tasks again and again, and give the statuses."""
    return [(await client.http.get("/referral/fhir/Task")).status_code for _ in range(times)]


async def drain(client: Client, opened: asyncio.Event) -> None:
    """Read the feed until it ends."""
    async with client.http.stream("GET", "/notifications/feed") as stream:
        async for line in stream.aiter_lines():
            if line == ": now":
                opened.set()


async def leader(cluster: Cluster, service: str) -> str:
    """Find the worker whose relay leads, by what the workers tell of themselves."""

    async def leading() -> str | None:
        async with httpx.AsyncClient(timeout=10) as http:
            for name in (f"{service}-worker-0", f"{service}-worker-1"):
                if cluster.processes[name].poll() is None:
                    told = await http.get(f"{cluster.address(name)}/metrics")
                    if re.search(r"^lumbar_relay_leading\{[^}]*\} 1", told.text, re.M):
                        return name
        return None

    return str(await eventually(leading, within=PATIENCE))
