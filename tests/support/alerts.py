"""The alert rules and the dashboard as files, and whether an alert's condition holds over some scrapes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.support.promql import Scrape, evaluate, parse

ROOT = Path(__file__).parents[2]
OTEL = ROOT / "deploy" / "otel"
PAGES = ROOT / "docs" / "runbook"


def alerts() -> dict[str, dict[str, Any]]:
    """Give every alert by its name."""
    groups = yaml.safe_load((OTEL / "alerts.yaml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def panels() -> list[dict[str, Any]]:
    """Give every panel of the dashboard."""
    found: list[dict[str, Any]] = json.loads((OTEL / "dashboard.json").read_text())["panels"]
    return found


def expressions() -> list[str]:
    """Give every expression of rules and dashboard."""
    asked = [target["expr"] for panel in panels() for target in panel.get("targets", ())]
    return [rule["expr"] for rule in alerts().values()] + asked


def holds(alert: str, scrapes: Sequence[Scrape]) -> bool:
    """Tell whether an alert's condition holds at the last scrape."""
    return bool(evaluate(parse(alerts()[alert]["expr"]), scrapes))
