"""The forecast of a simulated clinic: its intervals hold, it knows nothing of days to come, it is drawn."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.simulate import backtest, play
from deploy.simulate.forecasting import Past, breaches
from deploy.simulate.play import Way
from deploy.simulate.run import SimulatedRun
from services.scheduling.rules import conformal

FORECAST = ["simulate", "--generate", "3", "--load", "1.05", "--policy", "carve-out", "--forecast"]


@pytest.fixture(scope="module")
def played() -> SimulatedRun:
    return play.of_seed(7, load=1.0, way=Way(policy="carve-out")).run


def test_holds_about_as_often_as_it_says(played: SimulatedRun) -> None:
    made = backtest.of_run(played, of_each=3)
    assert len(made) == 3 * 2 * 12
    raw, corrected = backtest.covered(made), backtest.covered(made, conformal.SHIPPED)
    assert corrected >= raw
    assert corrected >= 0.65


def test_begins_with_nothing_that_comes_later(played: SimulatedRun) -> None:
    day = played.instance.first_day + timedelta(days=100)
    known = Past(run=played, day=day)
    earlier = [referral for referral in played.instance.referrals if referral.sent_on < day]
    blind = SimulatedRun(replace(played.instance, referrals=tuple(earlier)), played.hidden, played.policy)
    blind.trace = [line for line in played.trace if line.on < day]
    assert Past(run=blind, day=day).state(weeks=8) == known.state(weeks=8)
    assert Past(run=blind, day=day).rates() == known.rates()


def test_counts_as_true_who_was_not_seen_by_the_due_day(played: SimulatedRun) -> None:
    first = played.instance.first_day
    counted = breaches(played, day=first, weeks=26)
    late = [
        course
        for course in played.courses.values()
        if course.referral.due_on < first + timedelta(weeks=26)
        and (course.seen_on is None or course.seen_on > course.referral.due_on)
    ]
    assert sum(counted.values()) == len(late) > 0


def test_says_what_more_visits_prevent_and_draws_it(tmp_path: Path) -> None:
    plot = tmp_path / "forecast.svg"
    told = CliRunner().invoke(app, [*FORECAST, "--extra", "pt:4", "--extra-from", "3", "--plot", str(plot)])
    assert told.exit_code == 0, told.output
    assert "+4 pt a week from week 3: prevents" in told.output
    drawing = ElementTree.fromstring(plot.read_text())
    assert len(drawing.findall(".//{*}polygon")) == 3


def test_is_written_as_the_product_writes_it() -> None:
    told = CliRunner().invoke(app, [*FORECAST, "--weeks", "2", "--json"])
    body = json.loads(told.output)
    assert [row["discipline"] for row in body["rows"]] == ["phys", "pt", None] * 2
    assert body["prevented"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--extra", "yoga:4"], "phys"),
        (["--extra", "pt:41"], "0 to 40"),
        (["--weeks", "27"], "--weeks"),
        (["--extra", "pt:4", "--extra-from", "9"], "from 1 to 8"),
    ],
)
def test_refuses_what_it_cannot_add_and_says_what_it_can(options: list[str], said: str) -> None:
    told = CliRunner().invoke(app, [*FORECAST, *options], env={"COLUMNS": "200"})
    assert told.exit_code != 0
    assert said in told.output


def test_draws_a_forecast_only() -> None:
    told = CliRunner().invoke(app, ["simulate", "--generate", "3", "--plot", "x.svg"], env={"COLUMNS": "200"})
    assert told.exit_code != 0
    assert "--forecast" in told.output
