"""Plays one instance under a policy of a name, and measures it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.simulate import instance as instances
from deploy.simulate.generate import generate
from deploy.simulate.instance import Hidden, Instance
from deploy.simulate.measures import measure
from deploy.simulate.policies import TERMS, CarveOut, Earliest, EveningPlan, Policy
from deploy.simulate.run import KnownRates, SimulatedRun
from services.scheduling.models.demand import PlanTerms


@dataclass(frozen=True, kw_only=True)
class Played:
    """A run, and its measures."""

    name: str
    run: SimulatedRun
    measures: Mapping[str, float]


def of_file(path: Path, *, policy: str, tell_after: int = 2) -> Played:
    """Play an instance from a file. Raises NoInstance."""
    return _played(*instances.load(path), policy=policy, tell_after=tell_after)


def of_seed(
    seed: int,
    *,
    load: float,
    policy: str,
    missed: float = 0.1,
    uneven: bool = False,
    tell_after: int = 2,
) -> Played:
    """Draw an instance and play it."""
    drawn = instances.read(generate(seed, load=load, missed=missed, uneven=uneven))
    return _played(*drawn, policy=policy, tell_after=tell_after)


def drawn(
    path: Path | None, *, seed: int, load: float, missed: float, uneven: bool
) -> tuple[Instance, Hidden]:
    """Read an instance from a file, or draw it where there is none. Raises NoInstance."""
    if path is not None:
        return instances.load(path)
    return instances.read(generate(seed, load=load, missed=missed, uneven=uneven))


def policy_of(name: str, instance: Instance, *, tell_after: int = 2) -> Policy:
    """Make the policy of a name for a clinic; it knows the instance without what is hidden."""
    terms = PlanTerms(priorities=TERMS, missed=instance.known.missed, tell_after=tell_after)
    match name:
        case "earliest":
            return Earliest(terms=terms)
        case "carve-out":
            return CarveOut(terms=terms)
        case _:
            return EveningPlan(terms=terms, expected=KnownRates(instance=instance))


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


def _played(instance: Instance, hidden: Hidden, *, policy: str, tell_after: int) -> Played:
    used = policy_of(policy, instance, tell_after=tell_after)
    run = SimulatedRun(instance, hidden, used).play()
    measures = {**measure(run), "plans_failed": len(getattr(used, "failures", ()))}
    return Played(name=instance.name, run=run, measures=measures)
