"""`lumbar simulate` as somebody types it."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.simulate import policy_plot
from deploy.simulate.generate import generate

EARLIEST = ["simulate", "--policy", "earliest"]


def test_tells_who_is_seen_in_time_by_a_policy() -> None:
    told = CliRunner().invoke(app, [*EARLIEST, "--generate", "1", "--load", "1.0"])
    assert told.exit_code == 0, told.output
    assert "seed 1, load 1, policy earliest" in told.output
    assert "asap seen within 5 days" in told.output


def test_writes_measures_as_json_and_a_trace_from_which_they_can_be_worked_out_again(tmp_path: Path) -> None:
    drawn, trace = generate(2, load=0.9), tmp_path / "trace.ndjson"
    file = tmp_path / "instance.json"
    file.write_text(json.dumps(drawn))
    told = CliRunner().invoke(app, [*EARLIEST, "--instance", str(file), "--json", "--trace", str(trace)])
    measures = json.loads(told.output)
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    seen = {line["referral"]: line["day"] for line in lines if line["what"] == "seen"}
    scored = [one for one in drawn["referrals"] if 28 <= one["sent"] < 210]
    due = {one["id"]: one["due"] for one in scored}
    in_time = sum(id in seen and seen[id] <= due[id] for id in due) / len(due)
    assert measures["all_in_time"] == pytest.approx(in_time)
    assert measures["n"] == len(scored)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--instance FILE, --generate SEED or --replay WEEKS"),
        (["--generate", "1", "--instance", "x.json"], "one of them"),
        (["--generate", "1", "--policy", "luck"], "earliest, carve-out, plan"),
        (["--generate", "1", "--load", "7"], "--load"),
        (["--generate", "1", "--replay", "4w"], "one of them"),
        (["--generate", "1", "--tell", "2", "--tell-ahead", "7"], "--tell or --tell-ahead"),
        (["--generate", "1", "--tell-ahead", "0"], "--tell-ahead"),
        (["--generate", "1", "--self-booked", "2"], "--self-booked"),
        (["--replay", "4 months"], "--replay is 1w to 104w"),
        (["--instance", "nowhere.json"], "nowhere.json is no lumbar-arrivals/1"),
    ],
)
def test_refuses_what_it_cannot_play_and_says_what_it_can(options: list[str], said: str) -> None:
    told = CliRunner().invoke(app, ["simulate", *options], env={"COLUMNS": "200"})
    assert told.exit_code != 0
    assert said in " ".join(told.output.split())


def test_draws_who_is_seen_in_time_by_load_and_policy() -> None:
    shares = {"urgent5": 0.5, "semi10": 0.75, "routine28": 1.0}
    means = {(load, policy): shares for load in (0.85, 0.95) for policy in ("earliest", "carve-out", "plan")}
    drawn = policy_plot.svg(means)
    assert drawn.count("<polyline") == 9
    assert 'points="0.0,80.0 196.0,80.0"' in drawn, "half are seen in time: the middle of the panel"
    ElementTree.fromstring(drawn)
