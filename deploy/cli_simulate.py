"""`lumbar simulate`: what a policy of first visits makes of a clinic, before it is switched on."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from deploy.simulate.instance import Hidden, Instance
    from deploy.simulate.play import Played, Way
    from deploy.simulate.policies import Policy
    from deploy.simulate.replay import Past
    from services.scheduling.models.forecasts import Extra

_POLICIES = ("earliest", "carve-out", "plan")
_LONGEST_PAST = 104
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
    replay: Annotated[
        str | None, typer.Option(help="Play the clinic's own last weeks, such as 26w, by every policy.")
    ] = None,
    site: Annotated[str | None, typer.Option(help="The site to replay, of several.")] = None,
    policy: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(_POLICIES)}; plan unless said.", show_default=False)
    ] = None,
    tell: Annotated[
        int | None,
        typer.Option(help="Working days until the day is told, by the plan; 2 unless said.", min=0, max=20),
    ] = None,
    tell_ahead: Annotated[
        int | None, typer.Option(help="Tell a day only so many days ahead of it, instead.", min=1, max=28)
    ] = None,
    self_booked: Annotated[
        float, typer.Option(help="Share of patients who choose their day themselves.", min=0, max=1)
    ] = 0.0,
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
    from deploy.simulate.replay import NoPast

    if sum(one is not None for one in (instance, generate, replay)) != 1:
        raise typer.BadParameter("say --instance FILE, --generate SEED or --replay WEEKS, one of them")
    if plot is not None and not forecast:
        raise typer.BadParameter("--plot draws the forecast: say --forecast too")
    way = _way(policy, tell=tell, tell_ahead=tell_ahead, self_booked=self_booked, learns=replay is not None)
    terms = None
    try:
        if replay is None:
            drawn = play.drawn(instance, seed=generate or 0, load=load, missed=missed, uneven=uneven)
        else:
            past = _own_past(replay, site=site)
            drawn, terms = (past.instance, past.hidden), past.terms
        if forecast:
            added = _extra(extra, [*drawn[0].known.needs], from_week=extra_from, weeks=weeks)
            _forecast(
                drawn,
                policy=play.policy_of(way, drawn[0], terms=terms),
                weeks=weeks,
                extra=added,
                as_json=as_json,
                plot=plot,
            )
            return
        names = _POLICIES if replay is not None and policy is None else (way.policy,)
        played = [play.of_instance(*drawn, way=replace(way, policy=name), terms=terms) for name in names]
    except (NoInstance, NoPast) as error:
        typer.echo(f"lumbar simulate: {error}", err=True)
        raise typer.Exit(1) from error
    if trace is not None:
        trace.write_text("".join(f"{json.dumps(line)}\n" for line in play.trace_of(played[-1].run)))
    _print(dict(zip(names, played, strict=True)), as_json=as_json)


def _way(
    policy: str | None, *, tell: int | None, tell_ahead: int | None, self_booked: float, learns: bool
) -> "Way":
    from deploy.simulate.play import Way

    if policy not in (None, *_POLICIES):
        raise typer.BadParameter(f"--policy is one of {', '.join(_POLICIES)}, not {policy}")
    if tell is not None and tell_ahead is not None:
        raise typer.BadParameter("say --tell or --tell-ahead, one of them")
    return Way(
        policy=policy or "plan",
        tell_after=2 if tell is None else tell,
        tell_ahead=tell_ahead,
        self_booked=self_booked,
        learns=learns,
    )


def _own_past(weeks: str, *, site: str | None) -> "Past":
    """Read the past of a site of the clinic in the data folder, or of that which the settings name."""
    from deploy.attach import attached
    from deploy.serve.command import clinic_of
    from deploy.settings import load_settings
    from deploy.simulate import replay
    from shared.clinic.current import CurrentClinic
    from shared.clock import SystemClock
    from shared.roster import rows

    number = weeks.removesuffix("w")
    if not number.isdecimal() or not 1 <= int(number) <= _LONGEST_PAST:
        raise typer.BadParameter(f"--replay is 1w to {_LONGEST_PAST}w, not {weeks}")
    current = CurrentClinic(clinic_of(load_settings()))
    here = site or (current.value.sites[0].id if len(current.value.sites) == 1 else "")

    async def read() -> "Past":
        async with attached() as databases, databases["scheduling"].transaction() as tx:
            current.replace(rows.revisions(await rows.everything(tx)))
            now = SystemClock().now()
            return await replay.of_site(tx, current.value, site_id=here, weeks=int(number), now=now)

    return asyncio.run(read())


def _print(played: "Mapping[str, Played]", *, as_json: bool) -> None:
    """Print the measures of each policy: one object where one was played, else one for each by its name."""
    if as_json:
        each = {name: one.measures for name, one in played.items()}
        typer.echo(json.dumps(each if len(each) > 1 else next(iter(each.values())), indent=2))
        return
    typer.echo("\n\n".join(_told(one.name, policy, one.measures) for policy, one in played.items()))


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
