"""I2: every aggregate has its events, with versions 1..n. I4: in that order, repeats apart."""

from collections.abc import AsyncIterator, Iterable

from tests.failure.audit.evidence import Evidence, Published, rows

_TABLES = (
    "SELECT table_name AS name FROM information_schema.columns"
    # What a service knows of somebody else's aggregate has its version too.
    " WHERE table_schema = 'public' AND column_name = 'event_version' AND table_name <> 'known_patient'"
    " ORDER BY 1"
)


async def events(evidence: Evidence) -> AsyncIterator[str]:
    """Hold every log against the rows that its events are about."""
    for service, records in evidence.published.items():
        first = list(_first_times(records))
        if not evidence.may_repeat and len(first) != len(records):
            yield f"I2: {len(records) - len(first)} records of {service} stand twice in its log"
        versions: dict[str, list[int]] = {}
        for record in first:
            versions.setdefault(record.subject, []).append(record.version)
        for finding in _gaps(versions):
            yield finding
        logged = {subject: max(seen) for subject, seen in versions.items()}
        logged |= {subject.rpartition("/")[2]: newest for subject, newest in logged.items()}
        database = evidence.databases[service]
        for table in await rows(database, _TABLES):
            # Two resources of the directory may share an id: a person and the person's role.
            key = "type || '/' || logical_id" if table["name"] == "directory_resource" else "id::text"
            statement = f'SELECT {key} AS id, event_version FROM "{table["name"]}"'
            for row in await rows(database, statement):
                if row["event_version"] != (newest := logged.get(row["id"], 0)):
                    yield f"I2: {table['name']} {row['id']} is at {row['event_version']}, its log at {newest}"


def _gaps(versions: dict[str, list[int]]) -> Iterable[str]:
    for subject, seen in versions.items():
        if sorted(seen) != list(range(1, len(seen) + 1)):
            yield f"I2: the events of {subject} have the versions {sorted(seen)}"
        elif seen != sorted(seen):
            yield f"I4: the events of {subject} stand in the order {seen}"


def _first_times(records: Iterable[Published]) -> Iterable[Published]:
    known = set()
    for record in records:
        if record.event_id not in known:
            known.add(record.event_id)
            yield record
