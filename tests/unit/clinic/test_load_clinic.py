"""A wrong clinic.yaml is told in one line: the file, the line, the element and what is allowed."""

from pathlib import Path

import pytest

from shared.clinic import ClinicFileError, load_clinic

EXAMPLE = Path(__file__).parents[3] / "examples" / "clinic.yaml"

WRONG = [
    # what is wrong, the line as it stands, what it becomes, what the message says after the line's number
    (
        "an unknown member",
        "review_weeks: [4, 8]",
        "reviews: [4, 8]",
        "reviews: is not known here; allowed are id,",
    ),
    (
        "a unit of a late cancellation that nothing makes late",
        "    late_cancel_hours: 24\n",
        "",
        "payers[1].late_cancel_uses_unit: needs late_cancel_hours",
    ),
    (
        "a cancellation that is late after it",
        "late_cancel_hours: 24",
        "late_cancel_hours: 0",
        "payers[1].late_cancel_hours: input should be greater",
    ),
    ("a missing member", "    name: Harbour Spine Toronto\n", "", "sites[0].name: is missing"),
    (
        "a number out of range",
        "routine: { days: 28,",
        "routine: { days: 0,",
        "guarantee.priorities.routine.days: input should be greater",
    ),
    (
        "at risk from the start",
        "at_risk_days: 7",
        "at_risk_days: 28",
        "guarantee.priorities.routine.at_risk_days: must be less than its 28 days",
    ),
    (
        "a promise beside the guarantee",
        "duplicate_window_days: 90",
        "duplicate_window_days: 90\npromise: { days: 28, at_risk_days: 7 }",
        "promise: stands beside guarantee",
    ),
    (
        "days of both kinds",
        "asap: { days: 5,",
        "asap: { days: 5, working_days: 5,",
        "guarantee.priorities.asap: says either days or working_days",
    ),
    (
        "a lower priority that is seen sooner",
        "urgent: { days: 10,",
        "urgent: { days: 4,",
        "guarantee.priorities.urgent: must not be shorter than asap, which has 5 days",
    ),
    (
        "a second promise inside the first",
        "second_days: 56",
        "second_days: 28",
        "guarantee.second_days: must be more than the 28 days of routine",
    ),
    (
        "a day that is reserved whole",
        "reserve: 0.26",
        "reserve: 0.84",
        "guarantee.priorities: the reserves together must leave",
    ),
    (
        "a priority that FHIR has not",
        "    urgent: {",
        "    soon: {",
        "guarantee.priorities.soon: is not known here; allowed are stat, asap, urgent, routine",
    ),
    (
        "a zone that is none",
        "time_zone: America/Toronto",
        "time_zone: America/Torono",
        "sites[0].time_zone: 'America/T",
    ),
    (
        "a chair who does not exist",
        "chair: physiatrist",
        "chair: nobody",
        "sites[0].meeting.chair: there is no 'nob",
    ),
    (
        "a room of no kind",
        "name: Gym, kind: treatment",
        "name: Gym, kind: gym",
        "sites[0].rooms[2].kind: input should",
    ),
    (
        "a room twice",
        "id: assessment-2,",
        "id: assessment-1,",
        "sites[0].rooms[1].id: 'assessment-1' is taken",
    ),
    (
        "a person twice",
        "  - id: physiotherapist-2\n",
        "  - id: physiotherapist\n",
        "people[2].id: 'physiotherapist' is",
    ),
    (
        "hours backwards",
        'from: "10:00", to: "18:00"',
        'from: "19:00", to: "18:00"',
        "people[2].hours[0].from: must be b",
    ),
    (
        "a weekday of no week",
        "days: [mon, thu]",
        "days: [mon, thr]",
        "people[4].hours[0].days[1]: input should be 'mon'",
    ),
    (
        "a site that is not here",
        "    discipline: physiatry\n    site: toronto",
        "    discipline: physiatry\n    site: ottawa",
        None,
    ),
    (
        "a team without a psychologist",
        "    discipline: psychology\n",
        "    discipline: physiatry\n",
        "programmes[2].team[2]: n",
    ),
    (
        "nobody for first visits",
        "for: [first]",
        "for: [session]",
        "programmes[3].first.discipline: nobody of pain-med",
    ),
    (
        "a visit outside the team",
        "    team: [physiotherapy, physiatry]",
        "    team: [physiatry]",
        "programmes[0].first.disc",
    ),
    (
        "a stream without programme",
        "    streams: [workplace]",
        "    streams: [private]",
        "programmes: no programme is for",
    ),
    (
        "no such scope",
        "      - system/Claim.rs",
        "      - system/Claim.sr",
        "clients[2].scopes[0]: 'system/Claim.sr' is no",
    ),
    (
        "a referrer of no practice",
        "    organization: second-practice",
        "    organization: third-practice",
        "clients[1].org",
    ),
    (
        "an insurer without payer",
        "    payer: motor-insurer\n",
        "",
        "clients[3].payer: is missing: the party 'insurer'",
    ),
    (
        "a clinician with a payer",
        "    practitioner: physiatrist\n",
        "    practitioner: physiatrist\n    payer: motor-insurer\n",
        "clients[5].payer: is not for",
    ),
    (
        "an address that is none",
        "email: claims@motor-insurer.example",
        "email: claims",
        "payers[1].email: string should m",
    ),
    (
        "a payer with another's number",
        "id|lakeshore-motor",
        "id|workplace-board",
        "payers[1].identifiers[0]: 'https://p",
    ),
    (
        "a member twice",
        "duplicate_window_days: 90",
        "duplicate_window_days: 90\nduplicate_window_days: 91",
        "duplicate_window",
    ),
    (
        "a privacy officer who could read more",
        "    scopes: [user/AuditEvent.rs]",
        "    scopes: [user/AuditEvent.rs, user/Task.rs]",
        "clients[12].scopes[1]: is not for the party 'privacy-officer'; allowed is",
    ),
    ("no coordinator", "    party: coordinator", "    party: operator", None),
    (
        "a time with a zone",
        'start: "12:00"',
        'start: "12:00Z"',
        "sites[0].meeting.start: value error, a time here is",
    ),
    ("no YAML", "review_weeks: [4, 8]", "review_weeks: [4, 8", "this is not YAML"),
]


def test_the_example_is_a_clinic() -> None:
    clinic = load_clinic(EXAMPLE)
    assert [site.id for site in clinic.sites] == ["toronto"]
    assert clinic.person("pain-physician").hours[0].start.isoformat() == "09:00:00"


@pytest.mark.parametrize(
    ("old", "new", "says"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_a_wrong_file_is_told_in_one_line(tmp_path: Path, old: str, new: str, says: str | None) -> None:
    text = EXAMPLE.read_text()
    assert old in text
    path = tmp_path / "clinic.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ClinicFileError) as refused:
        load_clinic(path)
    told = str(refused.value)
    assert told.startswith(f"{path}:")
    assert "\n" not in told
    assert says is None or says in told


@pytest.mark.parametrize(
    ("old", "new", "line_of"),
    [
        ("kind: treatment }", "kind: bath }", "kind: bath }"),
        ('from: "10:00", to: "18:00"', 'from: "19:00", to: "18:00"', 'from: "19:00"'),
        ("    organization: second-practice", "    organization: third", "organization: third"),
        ("team: [physiatry, physiotherapy, psychology]", "team: [physio]", "team: [physio]"),
        ("system/Claim.rs", "system/Claim.sr", "system/Claim.sr"),
    ],
)
def test_the_line_is_the_one_that_is_wrong(tmp_path: Path, old: str, new: str, line_of: str) -> None:
    path = tmp_path / "clinic.yaml"
    path.write_text(EXAMPLE.read_text().replace(old, new, 1))
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if line_of in text)
    with pytest.raises(ClinicFileError, match=f"clinic.yaml:{line}: "):
        load_clinic(path)


def test_a_time_without_quotes_is_a_time(tmp_path: Path) -> None:
    path = tmp_path / "clinic.yaml"
    path.write_text(EXAMPLE.read_text().replace('start: "12:00"', "start: 12:00"))
    assert load_clinic(path).sites[0].meeting.start.hour == 12


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "\x00", "id: 2026-99-99"])
def test_what_is_no_clinic_at_all_is_told_too(tmp_path: Path, text: str) -> None:
    path = tmp_path / "clinic.yaml"
    path.write_text(text)
    with pytest.raises(ClinicFileError, match=r"clinic.yaml:\d+: "):
        load_clinic(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClinicFileError, match=r"nothing\.yaml"):
        load_clinic(tmp_path / "nothing.yaml")
