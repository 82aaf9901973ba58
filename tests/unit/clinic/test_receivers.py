"""Receivers of webhooks in clinic.yaml: what is wrong with one stops the start with one line."""

from pathlib import Path

import pytest

from shared.clinic import ClinicFileError, load_clinic

EXAMPLE = Path(__file__).parents[3] / "examples" / "clinic.yaml"
HOSTS = "webhook_hosts: [hooks.example, Other.example:8443]\n"


def written(folder: Path, *receivers: str) -> Path:
    """Write the example clinic with these receivers."""
    lines = "".join(f"  - {{ {one} }}\n" for one in receivers)
    file = folder / "clinic.yaml"
    file.write_text(f"{EXAMPLE.read_text(encoding='utf-8')}{HOSTS}webhooks:\n{lines}", encoding="utf-8")
    return file


def test_a_receiver_belongs_to_an_insurer_or_a_practice(tmp_path: Path) -> None:
    clinic = load_clinic(
        written(
            tmp_path,
            'id: a, url: "https://hooks.example/x?y=1", payer: motor-insurer, events: [authorization.pended]',
            'id: b, url: "https://other.example:8443/", organization: family-practice',
        )
    )
    assert [one.recipient for one in clinic.webhooks] == [
        "Organization/motor-insurer",
        "Organization/family-practice",
    ]


@pytest.mark.parametrize(
    ("receiver", "says"),
    [
        ('id: a, url: "http://hooks.example/", payer: motor-insurer', "webhooks[0].url: must be https://"),
        ('id: a, url: "https://u@hooks.example/", payer: motor-insurer', "webhooks[0].url: must be https://"),
        ('id: a, url: "https://hooks.example/#x", payer: motor-insurer', "webhooks[0].url: must be https://"),
        ('id: a, url: "https:///x", payer: motor-insurer', "webhooks[0].url: must be https://"),
        (
            'id: a, url: "https://hooks.example:99999/", payer: motor-insurer',
            "webhooks[0].url: is no address",
        ),
        (
            'id: a, url: "https://else.example/", payer: motor-insurer',
            "webhooks[0].url: else.example does",
        ),
        (
            'id: a, url: "https://hooks.example:8443/", payer: motor-insurer',
            "webhooks[0].url: hooks.example:",
        ),
        ('id: a, url: "https://hooks.example/"', "webhooks[0]: a receiver names its payer or"),
        (
            'id: a, url: "https://hooks.example/", payer: motor-insurer, organization: family-practice',
            "webhooks[0]: a receiver names its payer or",
        ),
        ('id: a, url: "https://hooks.example/", payer: nobody', "webhooks[0].payer: there is no 'nobody'"),
        (
            'id: a, url: "https://hooks.example/", organization: nobody',
            "webhooks[0].organization: there is no 'nobody'",
        ),
        (
            'id: a, url: "https://hooks.example/", payer: motor-insurer, events: [referral.closed, x.y]',
            "webhooks[0].events[1]: there is no event 'x.y'",
        ),
        (
            'id: a, url: "https://hooks.example/", payer: motor-insurer, secret: whsec_x',
            "webhooks[0].secret: is not known here",
        ),
    ],
)
def test_a_wrong_receiver_is_told_in_one_line(tmp_path: Path, receiver: str, says: str) -> None:
    with pytest.raises(ClinicFileError) as refused:
        load_clinic(written(tmp_path, receiver))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_party_has_one_receiver(tmp_path: Path) -> None:
    receivers = [f'id: {name}, url: "https://hooks.example/", payer: motor-insurer' for name in "ab"]
    with pytest.raises(ClinicFileError, match=r"webhooks\[1\]\.payer: 'motor-insurer' is taken"):
        load_clinic(written(tmp_path, *receivers))
    same = [
        'id: a, url: "https://hooks.example/", payer: motor-insurer',
        'id: a, url: "https://hooks.example/", organization: family-practice',
    ]
    with pytest.raises(ClinicFileError, match=r"webhooks\[1\]\.id: 'a' is taken"):
        load_clinic(written(tmp_path, *same))
