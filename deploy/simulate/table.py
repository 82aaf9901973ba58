"""`python -m deploy.simulate.table`: the policies side by side on drawn instances, for docs/scheduling.md."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import fmean

from deploy.marked import put_between
from deploy.simulate import play
from deploy.simulate.play import Way

POLICIES = ("earliest", "carve-out", "plan")
LOADS = (0.85, 0.90, 0.95, 1.00, 1.05, 1.10)
_BEGIN, _END = "<!-- policies -->", "<!-- end of policies -->"
_IN_TIME = ("urgent5", "semi10", "routine28")
Measures = Mapping[str, float]


def main() -> None:
    """Play every policy on every load and seed, and print or write the table."""
    asked = argparse.ArgumentParser(prog="python -m deploy.simulate.table", description=__doc__)
    asked.add_argument("--seeds", type=int, default=8, help="so many seeds, from 1 on")
    asked.add_argument("--loads", type=float, nargs="+", default=LOADS)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--write", type=Path, help="the document whose table is made anew")
    given = asked.parse_args()
    seeds = range(1, given.seeds + 1)
    lines = table(given.loads, seeds, workers=given.workers)
    if given.write is None:
        sys.stdout.write("\n".join(lines) + "\n")
        return
    written = "\n".join([*lines, ""])
    given.write.write_text(put_between(given.write.read_text(), written, begin=_BEGIN, end=_END))


def table(loads: Sequence[float], seeds: Sequence[int], *, workers: int) -> list[str]:
    """Make the rows: a load and a policy in each, the means over the seeds."""
    asked = [(load, policy, seed) for load in loads for policy in POLICIES for seed in seeds]
    with ProcessPoolExecutor(workers) as pool:
        found = dict(zip(asked, pool.map(_measured, asked), strict=True))
    lines = [
        f"{_means(seeds)}; in time: asap / urgent / routine.",
        "",
        "| Load | Policy | In time, % | Score, % | Over 56 days, % | Told in 2 working days, % |",
        "|---|---|---|---|---|---|",
    ]
    for load in loads:
        for policy in POLICIES:
            lines.append(_row(load, policy, [found[load, policy, seed] for seed in seeds]))
    return lines


def _means(seeds: Sequence[int]) -> str:
    return f"Seed {seeds[0]}" if len(seeds) == 1 else f"Means over the seeds {seeds[0]} to {seeds[-1]}"


def _measured(asked: tuple[float, str, int]) -> Measures:
    load, policy, seed = asked
    return play.of_seed(seed, load=load, way=Way(policy=policy)).measures


def _row(load: float, policy: str, measured: Sequence[Measures]) -> str:
    def mean(key: str) -> str:
        return f"{100 * fmean(one[key] for one in measured):.1f}"

    in_time = " / ".join(mean(key) for key in _IN_TIME)
    return f"| {load:.2f} | {policy} | {in_time} | {mean('score')} | {mean('over56')} | {mean('told2')} |"


if __name__ == "__main__":
    main()
