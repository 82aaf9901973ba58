"""Pages as HTML: the templates, and what they call things by in the reader's language, zone and day."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from babel.dates import format_timedelta
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, pass_context
from jinja2.runtime import Context

from services.portal import claims, labels, moments, patient_labels, reading, signs, trends
from services.portal.acts import address_of
from services.portal.languages import Language, Languages
from services.portal.questionnaires import Option

_HERE = Path(__file__).parent.parent
STATIC = _HERE / "static"


def asset_version() -> str:
    """Give what changes when a file of `static` does, so that browsers keep each version for ever."""
    content = b"".join(path.read_bytes() for path in sorted(STATIC.iterdir()) if path.is_file())
    return sha256(content).hexdigest()[:12]


def make_environments(languages: Languages) -> dict[str, Environment]:
    """Make an environment of templates for each language."""
    version = asset_version()
    return {code: _environment(language, version) for code, language in languages.items()}


def _environment(language: Language, version: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    environment.install_gettext_translations(language.catalogue, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(_GLOBALS, asset_version=version)
    environment.filters.update(_FILTERS)
    return environment


@pass_context
def _moment(ctx: Context, value: str | datetime | None) -> str:
    page = ctx["page"]
    text = value.isoformat() if isinstance(value, datetime) else value
    return moments.written(text, zone=page.zone, language=page.language, now=page.now)


@pass_context
def _day(ctx: Context, value: str | datetime | date | None) -> str:
    page = ctx["page"]
    if not value:
        return ""
    if isinstance(value, str):
        instant = reading.moment_of(value)
        value = instant if instant is not None else date.fromisoformat(value[:10])
    if isinstance(value, datetime):
        value = value.astimezone(page.zone).date()
    return moments.day(value, language=page.language, today=page.today)


@pass_context
def _local_day(ctx: Context, value: datetime | str) -> str:
    """Give the site's day of an instant as an address has it."""
    instant = reading.moment_of(value) if isinstance(value, str) else value
    return instant.astimezone(ctx["page"].zone).date().isoformat() if instant else ""


@pass_context
def _clock(ctx: Context, value: str | datetime | None) -> str:
    page = ctx["page"]
    instant = reading.moment_of(value) if isinstance(value, str) else value
    return moments.time_of_day(instant, zone=page.zone, language=page.language) if instant else ""


@pass_context
def _ago(ctx: Context, value: str | datetime | None) -> str:
    """Write how long something has lasted, in the largest unit."""
    page = ctx["page"]
    instant = reading.moment_of(value) if isinstance(value, str) else value
    return format_timedelta(page.now - instant, locale=page.language.locale) if instant else ""


@pass_context
def _say(ctx: Context, concept: Mapping[str, Any] | None) -> str:
    page = ctx["page"]
    return str(page.sentences.say(concept, language=page.language, zone=page.zone))


@pass_context
def _number(ctx: Context, value: Any) -> str:
    return "" if value is None else format_decimal(value, locale=ctx["page"].language.locale)


@pass_context
def _translated(ctx: Context, text: str) -> str:
    """Translate a text that comes from a table, or from what a service documents of its acts."""
    return str(ctx["page"].language.say(text))


@pass_context
def _label(ctx: Context, table: Mapping[str, str], code: str | None) -> str:
    """Call a code by its name; one that the table lacks is shown as it is."""
    return str(ctx["page"].language.say(table.get(code or "", code or "")))


@pass_context
def _state(ctx: Context, kind: str, code: str | None) -> dict[str, str]:
    """Give the sign and the word of a state; one that the tables lack is shown as it is, as waiting."""
    known = signs.KINDS[kind].get(code or "")
    text, sign = (known.text, known.sign) if known else (code or "", "waiting")
    return {"text": ctx["page"].language.say(text), "sign": sign, "shape": signs.SHAPES[sign]}


@pass_context
def _age(ctx: Context, born: str | None) -> int | None:
    return reading.age_on(born, ctx["page"].today)


@pass_context
def _word(ctx: Context, code: str) -> str:
    """Call a code that an act allows: a programme by its name, else by the labels."""
    page = ctx["page"]
    programme = next((one.name for one in ctx["clinic"].programmes if one.id == code), None)
    known = (
        labels.PRIORITIES,
        {code: state.text for table in signs.KINDS.values() for code, state in table.items()},
    )
    text = programme or next((table[code] for table in known if code in table), code)
    return str(page.language.say(text))


@pass_context
def _choices(ctx: Context, codes: Sequence[str]) -> list[tuple[str, str]]:
    return [(code, _word(ctx, code)) for code in codes]


def _practitioners(people: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Give people to choose among, by the references that a call takes."""
    return [(f"Practitioner/{one['id']}", reading.person_name(one)) for one in people]


@pass_context
def _translated_options(ctx: Context, options: Sequence[Option]) -> list[tuple[str, str]]:
    say = ctx["page"].language.say
    return [(one.value, say(labels.ANSWERS.get(one.text, one.text))) for one in options]


def _organisations(known: Sequence[Any]) -> list[tuple[str, str]]:
    """Give practices, payers or programmes of clinic.yaml to choose among."""
    return [(one.id, one.name) for one in known]


def _participants(meeting: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give the people of a meeting to choose among."""
    actors = (one.get("actor", {}) for one in meeting.get("participant", ()))
    return [(actor["reference"], actor.get("display", actor["reference"])) for actor in actors]


@pass_context
def _numbered(ctx: Context, text: str) -> str:
    """Say the name of a numbered section or item in the reader's language."""
    kind, _, number = text.rpartition(" ")
    page = ctx["page"]
    return f"{page.language.say(kind)} {number}" if number.isdecimal() else str(page.language.say(text))


@pass_context
def _programme_name(ctx: Context, code: str | None) -> str:
    return next((one.name for one in ctx["clinic"].programmes if one.id == code), code or "")


def _named(table: Mapping[str, str]) -> Any:
    """Make what gives codes with their names from a table, in the reader's language."""

    @pass_context
    def named(ctx: Context, codes: Sequence[str]) -> list[tuple[str, str]]:
        return [(code, ctx["page"].language.say(table[code])) for code in codes]

    return named


@pass_context
def _priorities(ctx: Context) -> list[tuple[str, str]]:
    return [(code, ctx["page"].language.say(text)) for code, text in labels.PRIORITIES.items()]


_GLOBALS: Mapping[str, Any] = dict(
    label=_label,
    state=_state,
    labels=labels,
    patient_labels=patient_labels,
    shapes=signs.SHAPES,
    person_name=reading.person_name,
    code_of=reading.code_of,
    id_of=reading.id_of,
    local=reading.local,
    shown=reading.shown,
    spoken_name=reading.spoken_name,
    telecom=reading.telecom,
    age=_age,
    act_address=address_of,
    word=_word,
    choices=_choices,
    practitioners=_practitioners,
    translated=_translated_options,
    organisations=_organisations,
    provinces=_named(labels.PROVINCES),
    ways_named=_named(labels.WAYS),
    priorities=_priorities,
    participants=_participants,
    programme_name=_programme_name,
    numbered=_numbered,
    wide_plot=trends.WIDE,
    narrow_plot=trends.NARROW,
    review_actions=_named(labels.REVIEW_ACTIONS),
    review_action=lambda answer, sequence: claims.actions_of(answer).get(sequence, ""),
)
_FILTERS: Mapping[str, Any] = dict(
    moment=_moment,
    day=_day,
    local_day=_local_day,
    clock=_clock,
    say=_say,
    number=_number,
    ago=_ago,
    tr=_translated,
)
