"""The plots of docs/performance.md, as SVG files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter

FOLDER = Path(__file__).parents[1] / "docs" / "plots"
_STYLES = {"embedded": ("#1f5f8b", "o"), "kafka": ("#b3541e", "s")}
_SIZE = (7.0, 4.0)


def all_plots(figures: Mapping[str, Any]) -> None:
    """Draw every plot that there are figures for."""
    FOLDER.mkdir(exist_ok=True)
    mpl.rcParams["svg.hashsalt"] = "lumbar"
    mpl.rcParams["svg.fonttype"] = "none"
    if figures["latency"]:
        _latency(figures["latency"])
    if figures["cost"]:
        _cost(figures["cost"])


def _latency(by_transport: Mapping[str, Any]) -> None:
    figure, axes = plt.subplots(figsize=_SIZE)
    for transport, steps in by_transport.items():
        colour, marker = _STYLES[transport]
        rates = [step["rate"] for step in steps]
        for name, line in (("p50", "-"), ("p99", "--")):
            axes.plot(
                rates,
                [step[name] for step in steps],
                line,
                color=colour,
                marker=marker,
                label=f"{transport}, {name}",
            )
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel("referrals per second (open loop)")
    axes.set_ylabel("sent until the feed says: team formed (ms)")
    _finish(figure, axes, "latency.svg")


def _cost(steps: list[dict[str, Any]]) -> None:
    figure, axes = plt.subplots(figsize=_SIZE)
    stored = [step["stored"] for step in steps]
    both = [step["python"] + step["postgres"] for step in steps]
    axes.plot(stored, both, "-o", color="#1f5f8b", label="all")
    for name, line in (("python", "--"), ("postgres", ":")):
        axes.plot(stored, [step[name] for step in steps], line, color="#1f5f8b", label=name)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("referrals stored before")
    axes.set_ylabel("processor time per referral (ms)")
    _finish(figure, axes, "cost.svg")


def _finish(figure: Any, axes: Any, name: str) -> None:
    axes.grid(visible=True, alpha=0.3)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(FOLDER / name, metadata={"Date": None})
    plt.close(figure)
