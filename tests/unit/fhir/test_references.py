"""Reading references in each form, and replacing the links of a Bundle in its bytes."""

import pytest

from shared.errors import Invalid
from shared.fhir import references
from shared.fhir.references import Form, local_id, parse, reference_type, replaced

LINKS = {"urn:uuid:aaa": "Patient/9", "https://old/fhir/Patient/1": "Patient/9"}


@pytest.mark.parametrize(
    ("text", "form", "kind", "local", "version"),
    [
        ("Patient/1", Form.RELATIVE, "Patient", "1", None),
        ("Patient/1/_history/3", Form.RELATIVE, "Patient", "1", "3"),
        ("https://x.ca/fhir/Patient/a-b.c", Form.ABSOLUTE, "Patient", "a-b.c", None),
        ("http://x:8080/referral/fhir/Task/1/_history/2", Form.ABSOLUTE, "Task", "1", "2"),
        ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", Form.URN, None, None, None),
        ("urn:oid:1.2.3", Form.URN, None, None, None),
        ("#p1", Form.FRAGMENT, None, "p1", None),
        ("Patient?identifier=s|1&active=true", Form.CONDITIONAL, "Patient", None, None),
        ("Device?identifier=1&?==", Form.OTHER, None, None, None),
        ("Patient/", Form.OTHER, None, None, None),
        ("Patient/" + "x" * 65, Form.OTHER, None, None, None),
        ("", Form.OTHER, None, None, None),
    ],
)
def test_a_reference_is_taken_apart(
    text: str, form: Form, kind: str | None, local: str | None, version: str | None
) -> None:
    parsed = parse(text)
    assert (parsed.form, parsed.type, parsed.id, parsed.version) == (form, kind, local, version)


def test_an_element_with_an_identifier_only_is_logical() -> None:
    parsed = parse({"type": "Patient", "identifier": {"value": "1"}})
    assert (parsed.form, parsed.type, parsed.id) == (Form.LOGICAL, "Patient", None)


def test_the_stated_type_helps_where_the_address_does_not_say() -> None:
    assert reference_type({"reference": "urn:uuid:1", "type": "Patient"}) == "Patient"


def test_the_id_is_the_same_in_both_forms() -> None:
    assert local_id("Patient/7") == local_id({"reference": "https://x/referral/fhir/Patient/7"}) == "7"


def test_a_reference_without_an_id_is_refused_with_its_place() -> None:
    with pytest.raises(Invalid) as refused:
        local_id("urn:uuid:1", expression="Task.for")
    assert refused.value.problems[0].expression == "Task.for"


def test_links_are_replaced_and_other_bytes_stay() -> None:
    body = b'{ "subject" : {"reference":  "urn:uuid:aaa"}, "value": 250.50 }'
    assert replaced(body, LINKS) == b'{ "subject" : {"reference":  "Patient/9"}, "value": 250.50 }'


def test_links_in_contained_resources_and_arrays_are_replaced() -> None:
    body = (
        b'{"contained":[{"basedOn":[{"reference":"urn:uuid:aaa"}],"instantiatesUri":["x","urn:uuid:aaa"]}]}'
    )
    assert replaced(body, LINKS) == (
        b'{"contained":[{"basedOn":[{"reference":"Patient/9"}],"instantiatesUri":["x","Patient/9"]}]}'
    )


def test_a_text_that_looks_like_a_link_stays() -> None:
    body = b'{"note":[{"text":"urn:uuid:aaa"}],"valueString":"urn:uuid:aaa","system":"urn:uuid:aaa"}'
    assert replaced(body, LINKS) == body


def test_a_text_that_looks_like_json_stays() -> None:
    body = b'{"text":"{\\"reference\\":\\"urn:uuid:aaa\\"}","reference":"urn:uuid:bbb"}'
    assert replaced(body, LINKS) == body


def test_an_escaped_link_is_still_the_same_link() -> None:
    assert replaced(b'{"reference":"urn:uuid\\u003aaaa"}', LINKS) == b'{"reference":"Patient/9"}'


def test_an_absolute_full_url_is_replaced_too() -> None:
    assert replaced(b'{"reference":"https://old/fhir/Patient/1"}', LINKS) == b'{"reference":"Patient/9"}'


def test_links_of_the_narrative_are_replaced_and_its_text_stays() -> None:
    body = b'{"div":"<div><a href=\\"urn:uuid:aaa\\">urn:uuid:aaa</a></div>"}'
    assert replaced(body, LINKS) == b'{"div":"<div><a href=\\"Patient/9\\">urn:uuid:aaa</a></div>"}'


LINKED = [
    b'{"subject":{"reference":"urn:uuid:1"},"requester":{"reference":"Patient/12"}}',
    b'{"subject":{"reference":"urn:uuid:12"},"focus":{"reference":"urn:uuid:1"}}',
    b'{"subject": {"reference": "urn:uuid:1"}}',
    b'{"note":"urn:uuid:1","subject":{"reference":"urn:uuid:1"}}',
    b'{"valueUri":"urn:uuid:1","subject":{"reference":"Patient/1"}}',
    b'{"text":{"div":"<div><a href=\'urn:uuid:1\'>x</a></div>"},"subject":{"reference":"urn:uuid:1"}}',
    b'{"note":"a \\"quote\\"","subject":{"reference":"urn:uuid:1"}}',
    b'{"subject":{"reference":"Patient/1"},"focus":{"reference":"Patient/2"}}',
    b'{"reference":["urn:uuid:1"],"subject":{"reference":"urn:uuid:1"}}',
    '{"subject":{"reference":"Patient/\u00fc"}}'.encode(),
    b'{"subject":{"reference":"#a"},"focus":{"reference":"#ab"}}',
]
MANY_LINKS = {
    "urn:uuid:1": "Patient/p",
    "urn:uuid:12": "Patient/q",
    "Patient/1": "Patient/2",
    "Patient/12": "Patient/r",
    "#a": "Group/a",
    "Patient/\u00fc": "Patient/s",
}


@pytest.mark.parametrize("body", LINKED)
def test_the_plain_way_of_replacing_gives_what_looking_at_each_string_does(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for links in (MANY_LINKS, MANY_LINKS | {"Patient/2": "Patient/1"}, {"urn:uuid:1": "Patient/p"}):
        plainly = replaced(body, links)
        with monkeypatch.context() as patched:
            patched.setattr(references, "_plainly_replaced", lambda *_: None)
            assert replaced(body, links) == plainly
