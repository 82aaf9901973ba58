"""`lumbar simulate`: what a policy of first visits makes of a clinic, before it is switched on."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from deploy.simulate.instance import Hidden, Instance
    from deploy.simulate.policies import Policy
    from services.scheduling.models.forecasts import Extra

_POLICIES = ("earliest", "carve-out", "plan")
_SHOWN = {
    "urgent5": "asap seen within 5 days",
    "semi10": "urgent seen within 10 days",
    "routine28": "routine seen within 28 days",
    "score": "seen in time, weighted 20 / 5 / 1",
    "over56": "waited more than 56 days",
    "told2": "told a day within 2 working days",
    "forced": "moved because somebody fell sick",
}


def simulate(
    instance: Annotated[
        Path | None, typer.Option(help="Play this instance (format lumbar-arrivals/1).", dir_okay=False)
    ] = None,
    generate: Annotated[int | None, typer.Option(help="Draw an instance by this seed.", min=0)] = None,
    load: Annotated[float, typer.Option(help="How full the drawn clinic is.", min=0.1, max=2)] = 0.95,
    missed: Annotated[
        float, typer.Option(help="Share of visits to which nobody comes.", min=0, max=0.9)
    ] = 0.1,
    uneven: Annotated[
        bool, typer.Option("--uneven", help="Weeks differ by a quarter of their mean.")
    ] = False,
    policy: Annotated[str, typer.Option(help=f"One of {', '.join(_POLICIES)}.")] = "plan",
    tell: Annotated[int, typer.Option(help="Working days until the day is told, by the plan.", min=0)] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the measures as JSON.")] = False,
    trace: Annotated[
        Path | None, typer.Option(help="Write each day told, moved and seen into this file.", dir_okay=False)
    ] = None,
    forecast: Annotated[
        bool, typer.Option("--forecast", help="Forecast breaches from the middle day on instead.")
    ] = False,
    weeks: Annotated[int, typer.Option(help="Weeks of the forecast.", min=1, max=26)] = 8,
    extra: Annotated[str, typer.Option(help="More visits a week in the forecast, pt:4,phys:2.")] = "",
    extra_from: Annotated[int, typer.Option(help="The week from which on they are added.", min=1)] = 1,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the forecast into this SVG file.", dir_okay=False)
    ] = None,
) -> None:
    """Play a simulated clinic by the rules of scheduling, and measure who was seen in time."""
    from deploy.simulate import play
    from deploy.simulate.instance import NoInstance

    if (instance is None) == (generate is None):
        raise typer.BadParameter("say --instance FILE or --generate SEED, one of them")
    if policy not in _POLICIES:
        raise typer.BadParameter(f"--policy is one of {', '.join(_POLICIES)}, not {policy}")
    if plot is not None and not forecast:
        raise typer.BadParameter("--plot draws the forecast: say --forecast too")
    try:
        if forecast:
            drawn = play.drawn(instance, seed=generate or 0, load=load, missed=missed, uneven=uneven)
            added = _extra(extra, [*drawn[0].known.needs], from_week=extra_from, weeks=weeks)
            _forecast(
                drawn,
                policy=play.policy_of(policy, drawn[0], tell_after=tell),
                weeks=weeks,
                extra=added,
                as_json=as_json,
                plot=plot,
            )
            return
        if instance is not None:
            played = play.of_file(instance, policy=policy, tell_after=tell)
        else:
            played = play.of_seed(
                generate or 0, load=load, missed=missed, uneven=uneven, policy=policy, tell_after=tell
            )
    except NoInstance as error:
        typer.echo(f"lumbar simulate: {error}", err=True)
        raise typer.Exit(1) from error
    if trace is not None:
        trace.write_text("".join(f"{json.dumps(line)}\n" for line in play.trace_of(played.run)))
    typer.echo(
        json.dumps(played.measures, indent=2) if as_json else _told(played.name, policy, played.measures)
    )


def _extra(text: str, known: Sequence[str], *, from_week: int, weeks: int) -> "Sequence[Extra]":
    """Read what is added to each week as the product reads it."""
    from services.scheduling.rules import extra_visits

    try:
        return extra_visits.read(text, known, from_week=from_week, weeks=weeks)
    except extra_visits.NoExtra as error:
        raise typer.BadParameter(f"--{error.name}: {error}") from error


def _forecast(
    drawn: "tuple[Instance, Hidden]",
    *,
    policy: "Policy",
    weeks: int,
    extra: "Sequence[Extra]",
    as_json: bool,
    plot: Path | None,
) -> None:
    from deploy.simulate import forecast_plot, forecasting

    body = forecasting.at_the_middle(*drawn, policy=policy, weeks=weeks, extra=extra)
    if plot is not None:
        plot.write_text(forecast_plot.svg(body))
    typer.echo(json.dumps(body, indent=2) if as_json else forecasting.told(drawn[0].name, body))


def _told(name: str, policy: str, measures: Mapping[str, Any]) -> str:
    lines = [f"{name}, policy {policy}: {measures['n']:.0f} referrals"]
    lines += [f"  {100 * measures[key]:5.1f}%  {text}" for key, text in _SHOWN.items()]
    lines.append(
        f"  {measures['mean_wait']:5.1f}   days to the first visit on average, at most {measures['wait_max']}"
    )
    return "\n".join(lines)
