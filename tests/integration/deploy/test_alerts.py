"""The alerts: well formed, each with its page, asking for figures that a clinic exports, and seen to fire."""

import re
from datetime import timedelta
from typing import Any

import pytest
import yaml

from deploy.demo.bundles import example
from deploy.gateway.figures import replica_away
from deploy.telemetry import observed
from shared.clinic import Clinic, Scheduling, SchedulingPolicy
from shared.clock import machine_now
from shared.db import Database
from shared.events.topics import REFERRAL
from shared.events.transport import event_log
from shared.events.transport.base import OutboxRow
from shared.ids import new_text_id
from shared.telemetry import metrics
from shared.telemetry.tracing import start_tracing
from tests.support import referrals
from tests.support.alerts import OTEL, PAGES, ROOT, alerts, expressions, holds, panels
from tests.support.clinic import TestClinic, example_clinic
from tests.support.collector import open_collector
from tests.support.eventually import eventually
from tests.support.labels import forget_figures
from tests.support.mailbox import open_mailbox
from tests.support.promql import NotPromQL, Scrape, parse
from tests.support.sql import sql

FHIR = {"content-type": "application/fhir+json"}
EMERGENCY = "02-cauda-equina.json"
TARGET = {"job": "lumbar", "instance": "here"}
SHOWN = {
    "service",
    "topic",
    "loop",
    "channel",
    "part",
    "instance",
    "signal",
    "db_client_connection_pool_name",
}
ENDINGS = re.compile(r"_(bucket|sum|count)$")


async def scrape(clinic: TestClinic, *, at: float = 0) -> Scrape:
    """Read a clinic's figures as Prometheus would at such a second."""
    answer = await clinic.anonymous().get("/metrics")
    assert answer.status_code == 200, answer.text
    return Scrape.of(at, answer.text, **TARGET)


@pytest.fixture(autouse=True)
def nothing_told() -> None:
    forget_figures()


class TestEveryAlert:
    @pytest.mark.parametrize("name", sorted(alerts()))
    def test_is_well_formed(self, name: str) -> None:
        rule = alerts()[name]
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", name)
        assert re.fullmatch(r"\d+[sm]", rule["for"])
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert set(rule["annotations"]) == {"summary", "runbook_url"}
        assert rule["annotations"]["runbook_url"] == f"docs/runbook/{name}.md"
        summary = rule["annotations"]["summary"]
        assert set(re.findall(r"\$labels\.(\w+)", summary)) <= SHOWN
        assert parse(rule["expr"]).names()

    def test_has_its_page_and_every_page_its_alert(self) -> None:
        assert {page.stem for page in PAGES.glob("*.md")} == set(alerts())

    def test_is_on_the_lines_that_name_a_page(self) -> None:
        named = {
            page
            for part in ("shared", "services", "deploy")
            for path in (ROOT / part).rglob("*.py")
            for page in re.findall(r'runbook="(\w+)"', path.read_text())
        }
        assert named
        assert named <= set(alerts())

    def test_that_cannot_be_read_is_seen(self) -> None:
        for wrong in ("rate(x[5m]", "sum by service (x)", "x >", 'x{a="b"', "x y", "rate(x[5 m])"):
            with pytest.raises(NotPromQL):
                parse(wrong)

    def test_is_fed_by_every_process_of_the_composed_clinic(self) -> None:
        scraped = yaml.safe_load((OTEL / "prometheus.yaml").read_text())["scrape_configs"][0]
        composed = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
        processes = {name for name, one in composed.items() if "serve" in one.get("command", ())}
        assert set(scraped["dns_sd_configs"][0]["names"]) == processes

    def test_is_fed_by_a_collector_too_that_asks_the_same_processes(self) -> None:
        prometheus = yaml.safe_load((OTEL / "prometheus.yaml").read_text())["scrape_configs"]
        collector = yaml.safe_load((OTEL / "collector.yaml").read_text())
        assert collector["receivers"]["prometheus"]["config"]["scrape_configs"] == prometheus
        assert collector["service"]["pipelines"]["metrics"]["receivers"] == ["prometheus"]
        assert collector["service"]["pipelines"]["traces"]["receivers"] == ["otlp"]

    def test_has_a_dashboard_beside_it_in_six_rows(self) -> None:
        rows = [panel["title"] for panel in panels() if panel["type"] == "row"]
        assert len(rows) == 6
        assert all(panel["targets"] for panel in panels() if panel["type"] != "row")


async def test_every_figure_that_alerts_and_dashboard_ask_for_is_exported_by_a_running_clinic() -> None:
    start_tracing(ratio=1.0)
    with open_collector() as collector:
        async with (
            open_mailbox() as mailbox,
            TestClinic(smtp_url=mailbox.url, clinic=_that_plans()) as clinic,
            observed(collector.url, service="embedded", every=0.2),
        ):
            await _live(clinic)
            await eventually(lambda: collector.traces, within=30)
            exported = set((await scrape(clinic)).samples)
    start_tracing(ratio=0.0)
    asked = set[str]().union(*(parse(expression).names() for expression in expressions()))
    assert asked - exported == set()
    assert len(asked) >= 40


def _that_plans() -> Clinic:
    """The example clinic, whose first visits are planned in the evening."""
    plans = Scheduling(policy=SchedulingPolicy.PLAN, at_once_below=0)
    return example_clinic().model_copy(update={"scheduling": plans})


async def _live(clinic: TestClinic) -> None:
    """Let happen what figures are kept of: an emergency, a refused body, a failed event, a replica away."""
    sender = clinic.as_("family-practice")
    emergency = example(EMERGENCY, at=clinic.clock.now())
    answer = await sender.post("/referral/fhir", content=emergency, headers=FHIR)
    assert answer.status_code == 200, answer.text
    await clinic.at(clinic.clock.now() + timedelta(minutes=20))
    refused = await sender.post("/referral/fhir", json={"resourceType": "Bundle", "type": "x"}, headers=FHIR)
    assert refused.status_code == 422, refused.text
    replica_away("referral", was_sent=False)
    routine = await sender.post("/referral/fhir", json=referrals.bundle())
    assert routine.status_code == 200, routine.text
    await clinic.settle()
    await clinic.at(clinic.clock.now() + timedelta(hours=11))
    await _poison(clinic)
    await eventually(lambda: _is_held(clinic), within=30)
    await eventually(lambda: _retried(clinic), within=30)


async def _poison(clinic: TestClinic) -> None:
    """Publish an accepted referral that no handler can read."""
    focus: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "id": "7",
        "subject": {"reference": "Patient/7"},
    }
    await clinic.publish("referral.accepted", focus=focus)


async def _is_held(clinic: TestClinic) -> bool:
    return any(figures.held_retrying for figures in (await clinic.read_status()).values())


async def _retried(clinic: TestClinic) -> bool:
    return "lumbar_held_retries_total" in (await scrape(clinic)).samples


class TestFires:
    async def test_for_a_dead_key_and_not_without_one(self, clinic: TestClinic) -> None:
        assert not holds("KeyDead", [await scrape(clinic)])
        focus = {"resourceType": "ServiceRequest", "id": "7", "subject": {"reference": "Patient/7"}}
        await clinic.publish("referral.accepted", focus=focus, version=0)
        await eventually(lambda: _is_dead(clinic), within=30)
        assert holds("KeyDead", [await scrape(clinic)])

    async def test_for_a_relay_that_stands_still(self, clinic: TestClinic) -> None:
        assert not holds("RelayStalled", [await scrape(clinic)])
        assert not holds("NoRelayLeader", [await scrape(clinic)])
        await clinic.workers["referral"].stop()
        async with clinic.databases["referral"].transaction() as tx:
            await sql(
                tx,
                "INSERT INTO outbox (event_id, topic, key, headers, value, machine_at)"
                " VALUES ('e', :topic, 'k', '{}', '', :at)",
                topic=REFERRAL,
                at=machine_now() - timedelta(seconds=61),
            )
        assert holds("RelayStalled", [await scrape(clinic)])
        assert holds("NoRelayLeader", [await scrape(clinic)])

    async def test_for_a_consumer_that_falls_behind(self, clinic: TestClinic) -> None:
        await clinic.workers["scheduling"].stop()
        scrapes = [await scrape(clinic)]
        assert not holds("ConsumerLagGrowing", scrapes)
        for second in (60, 120):
            await _append(clinic.databases["referral"], records=400)
            scrapes.append(await scrape(clinic, at=second))
        assert holds("ConsumerLagGrowing", scrapes)

    async def test_for_records_that_were_gone_before_they_were_read(self, clinic: TestClinic) -> None:
        before = await scrape(clinic)
        await clinic.workers["scheduling"].stop()
        async with clinic.databases["scheduling"].transaction() as tx:
            await tx.records("UPDATE group_position SET next_offset = 1000 WHERE topic = $1", REFERRAL)
        await clinic.workers["scheduling"].start()
        await eventually(lambda: _gone(clinic, before), within=30)

    async def test_for_handlers_that_fail(self, clinic: TestClinic) -> None:
        before = await scrape(clinic)
        await _poison(clinic)
        await eventually(lambda: _is_held(clinic), within=30)
        assert holds("HandlersFailing", [before, await scrape(clinic, at=60)])

    async def test_for_a_database_that_does_not_answer(self) -> None:
        away = Database.connect("postgresql://nobody@127.0.0.1:1/nothing", name="referral")
        told = (await metrics.exposition({}, [away])).decode()
        await away.close()
        assert holds("DatabaseUnreachable", [Scrape.of(0, told, **TARGET)])

    def test_for_a_process_that_is_down_and_for_slow_and_wrong_answers(self) -> None:
        def told(count: int) -> str:
            name = "http_server_request_duration_seconds"
            labels = 'service="referral",http_route="/fhir",http_response_status_code'
            return (
                f"# TYPE {name} histogram\n"
                f'{name}_bucket{{{labels}="200",le="0.1"}} {count}\n'
                f'{name}_bucket{{{labels}="200",le="2.5"}} {2 * count}\n'
                f'{name}_bucket{{{labels}="200",le="+Inf"}} {2 * count}\n'
                f'{name}_count{{{labels}="200"}} {2 * count}\n'
                f'{name}_count{{{labels}="503"}} {count}\n'
            )

        scrapes = [Scrape.of(0, told(10), **TARGET), Scrape.of(60, told(50), **TARGET)]
        assert holds("ApiSlow", scrapes)
        assert holds("ApiErrors", scrapes)
        assert not holds("ProcessDown", scrapes)


async def _is_dead(clinic: TestClinic) -> bool:
    return any(figures.held_dead for figures in (await clinic.read_status()).values())


async def _gone(clinic: TestClinic, before: Scrape) -> bool:
    return holds("RecordsGone", [before, await scrape(clinic, at=60)])


async def _append(database: Database, *, records: int) -> None:
    rows = [
        OutboxRow(id=0, event_id=new_text_id(), topic=REFERRAL, key="k", headers={}, value=b"")
        for _ in range(records)
    ]
    async with database.transaction() as tx:
        await event_log.append_all(tx, rows)
