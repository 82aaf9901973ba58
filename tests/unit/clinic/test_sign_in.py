"""The clinic's own issuer in clinic.yaml: what is wrong with it stops the start with one line."""

from pathlib import Path

import pytest

from shared.clinic import ClinicFileError, load_clinic

EXAMPLE = Path(__file__).parents[3] / "examples" / "clinic.yaml"
RIGHT = {
    "issuer": "https://id.clinic.example",
    "client_id": "lumbar",
    "people": "[{subject: a, client: coordinator}]",
}


def written(folder: Path, **changed: str) -> Path:
    """Write the example clinic with an issuer, some members changed."""
    lines = "".join(f"  {name}: {text}\n" for name, text in {**RIGHT, **changed}.items())
    file = folder / "clinic.yaml"
    file.write_text(f"{EXAMPLE.read_text(encoding='utf-8')}sign_in:\n{lines}", encoding="utf-8")
    return file


def test_people_are_mapped_by_subject_or_claim(tmp_path: Path) -> None:
    people = "[{subject: a, client: coordinator}, {claim: groups, value: b, client: operator}]"
    found = load_clinic(written(tmp_path, people=people)).sign_in
    assert found is not None
    assert [one.client for one in found.people] == ["coordinator", "operator"]
    assert found.scopes == ("openid", "profile")


def test_an_issuer_on_this_machine_needs_no_tls(tmp_path: Path) -> None:
    assert load_clinic(written(tmp_path, issuer="http://127.0.0.1:9999")).sign_in is not None


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"issuer": "http://id.clinic.example"}, "sign_in.issuer: must be https://"),
        ({"issuer": "http://localhost.evil.example"}, "sign_in.issuer: must be https://"),
        ({"issuer": "https://u@id.clinic.example"}, "sign_in.issuer: must be https://"),
        ({"scopes": "[profile]"}, "sign_in.scopes: must hold openid"),
        ({"people": "[]"}, "sign_in.people: "),
        ({"people": "[{subject: a, client: nobody}]"}, "sign_in.people[0].client: there is no 'nobody'"),
        (
            {"people": "[{client: coordinator}]"},
            "sign_in.people[0]: names a subject, or a claim and its value",
        ),
        (
            {"people": "[{subject: a, claim: b, value: c, client: coordinator}]"},
            "sign_in.people[0]: names a subject, or a claim and its value, one of both",
        ),
        ({"people": "[{claim: b, client: coordinator}]"}, "sign_in.people[0]: names a claim and its value"),
        ({"secret": "hush"}, "sign_in.secret: is not known here"),
    ],
)
def test_what_does_not_fit_is_one_line(tmp_path: Path, changed: dict[str, str], says: str) -> None:
    with pytest.raises(ClinicFileError) as wrong:
        load_clinic(written(tmp_path, **changed))
    assert says in str(wrong.value)
    assert len(str(wrong.value).splitlines()) == 1
