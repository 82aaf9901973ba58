"""Days and times as pages write them: in the site's zone and the reader's language, with their day."""

from datetime import date, datetime, tzinfo

from babel.dates import format_date, format_time

from services.portal.languages import Language
from services.portal.reading import moment_of

_DAY, _DAY_OF_ANOTHER_YEAR = "EEE d MMM", "EEE d MMM y"


def day(value: date, *, language: Language, today: date) -> str:
    """Write a day; the year stands there where it is not this one."""
    pattern = _DAY if value.year == today.year else _DAY_OF_ANOTHER_YEAR
    return format_date(value, pattern, locale=language.locale)


def time_of_day(value: datetime, *, zone: tzinfo, language: Language) -> str:
    """Write a time on the site's wall clock, of 24 hours."""
    return format_time(value.astimezone(zone), "HH:mm", tzinfo=zone, locale=language.locale)


def moment(value: datetime, *, zone: tzinfo, language: Language, now: datetime) -> str:
    """Write a time with its day, without it where that is today."""
    when = time_of_day(value, zone=zone, language=language)
    local, today = value.astimezone(zone).date(), now.astimezone(zone).date()
    return when if local == today else f"{day(local, language=language, today=today)} {when}"


def written(value: str | None, *, zone: tzinfo, language: Language, now: datetime) -> str:
    """Write an instant or a date as FHIR has it; empty where there is none."""
    if not value:
        return ""
    instant = moment_of(value)
    if instant is not None:
        return moment(instant, zone=zone, language=language, now=now)
    try:
        return day(date.fromisoformat(value), language=language, today=now.astimezone(zone).date())
    except ValueError:
        return value
