"""A simulated clinic: the same rules as the real one, and nothing of tomorrow in today's decisions."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from deploy.simulate import instance as instances
from deploy.simulate import play
from deploy.simulate.generate import generate
from deploy.simulate.instance import Attempt, Hidden, Instance, NoInstance
from deploy.simulate.measures import measure
from deploy.simulate.play import Way
from deploy.simulate.run import SimulatedRun, TraceLine

DAY = timedelta(days=1)
SHORT = 21
POLICIES = ("earliest", "carve-out", "plan")


def short(seed: int = 3, *, load: float = 0.95) -> tuple[Instance, Hidden]:
    """The first three weeks of a drawn instance."""
    whole, hidden = instances.read(generate(seed, load=load))
    last = whole.first_day + DAY * SHORT
    sent = tuple(one for one in whole.referrals if one.sent_on < last)
    scored = (whole.first_day, last)
    return replace(whole, days=SHORT, referrals=sent, scored=scored), hidden


def played(instance: Instance, hidden: Hidden, policy: str) -> SimulatedRun:
    return SimulatedRun(instance, hidden, play.policy_of(Way(policy=policy), instance), afterwards=28).play()


def decisions(run: SimulatedRun, until: date) -> list[TraceLine]:
    return [line for line in run.trace if line.what == "told" and line.on <= until]


class TestAPolicy:
    @pytest.mark.parametrize("policy", POLICIES)
    def test_decides_the_same_whatever_is_hidden_in_the_days_to_come(self, policy: str) -> None:
        instance, hidden = short()
        day = instance.first_day + DAY * 14
        first = played(instance, hidden, policy)
        # Whoever was seen by then has used draws that are past; all others get new ones.
        draws = {
            id: [*tries[: first.courses[id].attempts], *[Attempt(cancel=1, miss=0.999, days_ahead=1)] * 6]
            if (seen := first.courses[id].seen_on) is not None and seen <= day
            else tries
            for id, tries in hidden.tries.items()
            if id in first.courses
        }
        sick = frozenset(one for one in hidden.sick if one[1] <= day) | {
            ("pt-1", day + DAY * n) for n in range(1, 15)
        }
        other = played(instance, replace(hidden, sick=sick, tries=draws), policy)
        assert decisions(first, day) == decisions(other, day)
        assert first.trace != other.trace

    @pytest.mark.parametrize("policy", POLICIES)
    def test_gives_no_day_more_visits_than_its_clinicians_have_and_moves_nobody(self, policy: str) -> None:
        instance, hidden = short()
        run = played(instance, replace(hidden, sick=frozenset(), cancels=0.0, misses=0.0), policy)
        told = [line for line in run.trace if line.what == "told"]
        assert max(Counter(line.referral for line in told).values()) == 1
        visits = Counter(line.visit_on for line in told)
        for day, number in visits.items():
            assert number <= sum(one.visits_on(day) for one in instance.clinicians)
        assert not [line for line in run.trace if line.what == "moved"]
        by_id = {one.id: one for one in instance.referrals}
        for line in told:
            who = by_id[line.referral]
            assert who.can_come(line.visit_on)
            assert line.visit_on >= line.on + DAY * who.notice

    def test_by_plan_sees_more_urgent_patients_in_time_than_the_earliest_day_for_everybody(self) -> None:
        instance, hidden = short(load=1.0)
        measures = {name: measure(played(instance, hidden, name)) for name in POLICIES}
        assert measures["plan"]["urgent5"] > 0.9 > measures["earliest"]["urgent5"]
        assert measures["plan"]["told2"] == 1.0
        assert measures["plan"]["score"] > measures["carve-out"]["score"] > measures["earliest"]["score"]


class TestAnInstance:
    def test_is_the_same_for_the_same_seed_and_another_for_another(self) -> None:
        assert generate(7, load=0.9) == generate(7, load=0.9)
        assert generate(7, load=0.9)["referrals"] != generate(8, load=0.9)["referrals"]

    def test_has_as_many_referrals_as_its_load_says(self) -> None:
        light, full = [len(generate(1, load=load)["referrals"]) for load in (0.5, 1.0)]
        assert 1.7 < full / light < 2.3

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "lumbar-arrivals/2"}', '{"format": 1'])
    def test_of_another_format_is_refused_by_name(self, tmp_path: Path, text: str) -> None:
        file = tmp_path / "instance.json"
        file.write_text(text)
        with pytest.raises(NoInstance):
            instances.load(file)

    def test_is_read_from_a_file_as_it_was_drawn(self, tmp_path: Path) -> None:
        file = tmp_path / "instance.json"
        file.write_text(json.dumps(generate(5, load=0.9)))
        assert instances.load(file) == instances.read(generate(5, load=0.9))


class TestPatientsWhoChooseTheirDay:
    def test_have_it_when_they_are_sent_and_only_of_what_is_not_kept_for_others(self) -> None:
        instance, hidden = short()
        alone = SimulatedRun(instance, hidden, play.policy_of(Way(), instance), self_booked=1).play(
            days=SHORT
        )
        usual = SimulatedRun(instance, hidden, play.policy_of(Way(), instance)).play(days=SHORT)
        told = {line.referral: line for line in alone.trace if line.what == "told"}
        at_once = [one for one in alone.courses.values() if one.told_on == one.referral.sent_on]
        assert len(at_once) > sum(one.told_on == one.referral.sent_on for one in usual.courses.values())
        routine = [one.referral for one in at_once if one.referral.priority == "routine"]
        assert len({(told[one.id].visit_on - one.sent_on).days for one in routine}) > 5, "they choose any day"


class TestAClinicThatTellsDaysAWeekAhead:
    def test_tells_no_day_that_is_farther_but_at_once(self) -> None:
        instance, hidden = short()
        run = SimulatedRun(instance, hidden, play.policy_of(Way(tell_ahead=7), instance)).play(days=SHORT)
        ahead = [(line.visit_on - line.on).days for line in run.trace if line.what == "told"]
        assert max(ahead) == 7
        usual = SimulatedRun(instance, hidden, play.policy_of(Way(), instance)).play(days=SHORT)
        assert max((line.visit_on - line.on).days for line in usual.trace if line.what == "told") > 7
