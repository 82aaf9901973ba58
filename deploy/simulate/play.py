"""Plays one instance under a policy of a name, and measures it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.simulate import instance as instances
from deploy.simulate.generate import generate
from deploy.simulate.instance import Hidden, Instance
from deploy.simulate.measures import measure
from deploy.simulate.policies import TERMS, CarveOut, Earliest, EveningPlan, Policy
from deploy.simulate.rates import KnownRates, LearnedRates
from deploy.simulate.run import SimulatedRun
from services.scheduling.models.demand import PlanTerms


@dataclass(frozen=True, kw_only=True)
class Way:
    """How an instance is played: the policy, when it tells a day, and the share of patients who book alone.

    A day is told after `tell_after` working days, or with `tell_ahead` so many days before it. What is
    expected is known beforehand, or `learns` from who was sent before.
    """

    policy: str = "plan"
    tell_after: int = 2
    tell_ahead: int | None = None
    self_booked: float = 0.0
    learns: bool = False


@dataclass(frozen=True, kw_only=True)
class Played:
    """A run, and its measures."""

    name: str
    run: SimulatedRun
    measures: Mapping[str, float]


def of_seed(seed: int, *, load: float, way: Way, missed: float = 0.1, uneven: bool = False) -> Played:
    """Draw an instance and play it."""
    return of_instance(*drawn(None, seed=seed, load=load, missed=missed, uneven=uneven), way=way)


def of_instance(instance: Instance, hidden: Hidden, *, way: Way, terms: PlanTerms | None = None) -> Played:
    """Play an instance to its end, by the terms of a clinic or by those of the drawn ones."""
    used = policy_of(way, instance, terms=terms)
    run = SimulatedRun(instance, hidden, used, self_booked=way.self_booked).play()
    measures = {**measure(run), "plans_failed": len(getattr(used, "failures", ()))}
    return Played(name=instance.name, run=run, measures=measures)


def drawn(
    path: Path | None, *, seed: int, load: float, missed: float, uneven: bool
) -> tuple[Instance, Hidden]:
    """Read an instance from a file, or draw it where there is none. Raises NoInstance."""
    if path is not None:
        return instances.load(path)
    return instances.read(generate(seed, load=load, missed=missed, uneven=uneven))


def policy_of(way: Way, instance: Instance, *, terms: PlanTerms | None = None) -> Policy:
    """Make the policy of a way for a clinic; it knows the instance without what is hidden."""
    usual = terms or PlanTerms(priorities=TERMS, missed=instance.known.missed)
    terms = replace(usual, tell_after=way.tell_after, tell_ahead=way.tell_ahead)
    match way.policy:
        case "earliest":
            return Earliest(terms=terms)
        case "carve-out":
            return CarveOut(terms=terms)
        case _:
            rates = LearnedRates(instance=instance) if way.learns else KnownRates(instance=instance)
            return EveningPlan(terms=terms, expected=rates)


def trace_of(run: SimulatedRun) -> Iterator[Mapping[str, int | str]]:
    """Go through what happened, in order; days are whole numbers, as in the instance."""
    for line in run.trace:
        yield {
            "on": (line.on - run.instance.first_day).days,
            "what": line.what,
            "referral": line.referral,
            "day": (line.visit_on - run.instance.first_day).days,
            "clinician": line.clinician,
        }
