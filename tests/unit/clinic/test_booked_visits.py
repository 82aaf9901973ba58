"""The visits that a programme names in clinic.yaml: what nobody can give stops the start with one line."""

from pathlib import Path

import pytest

from shared.clinic import ClinicFileError, load_clinic

EXAMPLE = Path(__file__).parents[3] / "examples" / "clinic.yaml"
REVIEW = (
    "{ id: review, name: Review, kind: review, minutes: 30, disciplines: [physiotherapy], room: assessment }"
)


def written(folder: Path, old: str, new: str) -> Path:
    """Write the example clinic with one text of it changed."""
    text = EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    file = folder / "clinic.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


def test_the_example_names_visits_of_every_kind() -> None:
    clinic = load_clinic(EXAMPLE)
    kinds = {visit.kind for programme in clinic.programmes for visit in programme.visits}
    assert kinds == {"joint-first", "review", "procedure", "telehealth", "group", "test", "meeting"}


def test_a_programme_without_visits_is_read_as_before(tmp_path: Path) -> None:
    clinic = load_clinic(EXAMPLE)
    motor = next(one for one in clinic.programmes if one.id == "motor-vehicle-rehabilitation")
    assert motor.visits == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            REVIEW,
            REVIEW.replace("id: review", "id: first"),
            "visits[0].id: 'first' is what the programme's own",
        ),
        (REVIEW, f"{REVIEW}\n      - {REVIEW}", "visits[1].id: 'review' is taken already"),
        (REVIEW, REVIEW.replace("[physiotherapy]", "[psychology]"), "must be of the programme's team"),
        (REVIEW, REVIEW.replace(", room: assessment", ""), "visits[0].room: is missing"),
        (REVIEW, REVIEW.replace("room: assessment", "room: cellar"), "visits[0].room: input should be"),
        (REVIEW, REVIEW.replace("minutes: 30", "minutes: 31"), "visits[0].minutes: input should be"),
        (REVIEW, REVIEW.replace(" }", ", seats: 4 }"), "visits[0].seats: is said of a group"),
        ("room: group, seats: 6", "room: group", "visits[2].seats: is said of a group"),
        ("kind: group, wheelchair: true", "kind: treatment", "visits[2].room: there is no group room"),
        ("equipment: [fluoroscope]", "equipment: [laser]", "equipment[0]: there is no 'laser' at 'toronto'"),
        (
            "disciplines: [physiatry, psychology], room: assessment }",
            "disciplines: [physiatry], room: assessment }",
            "visits[0].disciplines: a joint visit is given by two disciplines or more",
        ),
        (
            "kind: telehealth, minutes: 30, disciplines: [physiotherapy] }",
            "kind: telehealth, minutes: 30, disciplines: [physiotherapy], room: assessment }",
            "visits[1].room: a telehealth visit has no room",
        ),
        ("languages: [en, fr]", "languages: [french]", "languages[0]: "),
    ],
)
def test_what_cannot_be_met_is_named_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ClinicFileError) as refused:
        load_clinic(written(tmp_path, old, new))
    assert says in str(refused.value)
    assert str(refused.value).count("\n") == 0


def test_overbooking_is_for_people_of_the_clinic(tmp_path: Path) -> None:
    old = "  - id: family-practice\n    party: referrer\n"
    with pytest.raises(ClinicFileError, match="overbooks: is not for the party 'referrer'"):
        load_clinic(written(tmp_path, old, f"{old}    overbooks: true\n"))
