"""`python -m deploy.simulate.table`: the policies side by side on drawn instances, for docs/scheduling.md."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import fmean

from deploy.marked import put_between
from deploy.simulate import play, policy_plot
from deploy.simulate.play import Way
from deploy.simulate.policy_plot import Means

POLICIES = ("earliest", "carve-out", "plan")
LOADS = (0.85, 0.90, 0.95, 1.00, 1.05, 1.10)
_BEGIN, _END = "<!-- policies -->", "<!-- end of policies -->"
_IN_TIME = ("urgent5", "semi10", "routine28")


def main() -> None:
    """Play every policy on every load and seed, and print or write the table."""
    asked = argparse.ArgumentParser(prog="python -m deploy.simulate.table", description=__doc__)
    asked.add_argument("--seeds", type=int, default=8, help="so many seeds, from 1 on")
    asked.add_argument("--loads", type=float, nargs="+", default=LOADS)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--write", type=Path, help="the document whose table is made anew")
    asked.add_argument("--plot", type=Path, help="draw who is seen in time into this SVG file")
    given = asked.parse_args()
    seeds = range(1, given.seeds + 1)
    means = measured(given.loads, seeds, workers=given.workers)
    lines = table(means, seeds)
    if given.plot is not None:
        given.plot.write_text(policy_plot.svg(means))
    if given.write is None:
        sys.stdout.write("\n".join(lines) + "\n")
        return
    written = "\n".join([*lines, ""])
    given.write.write_text(put_between(given.write.read_text(), written, begin=_BEGIN, end=_END))


def measured(loads: Sequence[float], seeds: Sequence[int], *, workers: int) -> Means:
    """Play every policy on every load and seed, and give the means over the seeds."""
    asked = [(load, policy, seed) for load in loads for policy in POLICIES for seed in seeds]
    with ProcessPoolExecutor(workers) as pool:
        found = dict(zip(asked, pool.map(_measured, asked), strict=True))
    return {
        (load, policy): {
            key: fmean(found[load, policy, seed][key] for seed in seeds)
            for key in found[load, policy, seeds[0]]
        }
        for load in loads
        for policy in POLICIES
    }


def table(means: Means, seeds: Sequence[int]) -> list[str]:
    """Make the rows: a load and a policy in each."""
    return [
        f"{_over(seeds)}; in time: asap / urgent / routine.",
        "",
        "| Load | Policy | In time, % | Score, % | Over 56 days, % | Told in 2 working days, % |",
        "|---|---|---|---|---|---|",
        *(_row(load, policy, of_both) for (load, policy), of_both in means.items()),
    ]


def _over(seeds: Sequence[int]) -> str:
    return f"Seed {seeds[0]}" if len(seeds) == 1 else f"Means over the seeds {seeds[0]} to {seeds[-1]}"


def _measured(asked: tuple[float, str, int]) -> Mapping[str, float]:
    load, policy, seed = asked
    return play.of_seed(seed, load=load, way=Way(policy=policy)).measures


def _row(load: float, policy: str, means: Mapping[str, float]) -> str:
    shares = {key: f"{100 * share:.1f}" for key, share in means.items()}
    in_time = " / ".join(shares[key] for key in _IN_TIME)
    rest = f"{shares['score']} | {shares['over56']} | {shares['told2']}"
    return f"| {load:.2f} | {policy} | {in_time} | {rest} |"


if __name__ == "__main__":
    main()
