"""What signs a webhook, who hears what, and which receivers clinic.yaml may name."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from services.notifications.rules.audiences import Parties
from services.notifications.rules.routing import NOTIFICATION_ROUTES
from services.notifications.rules.signature import signature_headers
from services.notifications.rules.webhooks import available_events, deliveries, unavailable_events
from services.notifications.states import Channel
from shared.clinic import Clinic, Webhook, load_clinic
from shared.clock import machine_now
from shared.outbound import SecretUnusable, make_missing_secrets, read_secrets

INSURER = Webhook(id="insurer", url="https://a.example/", payer="workplace-insurer")
PRACTICE = Webhook(id="practice", url="https://b.example/", organization="family-practice")
WANTED = Webhook(
    id="wanted", url="https://c.example/", payer="motor-insurer", events=("authorization.requested",)
)
PARTIES = Parties(
    site="toronto",
    requester="family-practice",
    payer="workplace-insurer",
    consented=True,
    team=frozenset({"x"}),
)


@pytest.fixture(scope="module")
def clinic() -> Clinic:
    example = load_clinic(Path(__file__).parents[3] / "examples" / "clinic.yaml")
    return example.model_copy(update={"webhooks": (INSURER, PRACTICE, WANTED)})


def test_the_signature_is_the_one_of_the_specification() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signature_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        machine_seconds=1614265330,
        body=b'{"test": 2432232314}',
        secrets=[secret, b"another secret of 24 byte"],
    )
    first, second = headers["webhook-signature"].split(" ")
    assert first == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert second.startswith("v1,")
    assert second != first
    assert headers["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["webhook-timestamp"] == "1614265330"


def recipients(event: str, clinic: Clinic, parties: Parties = PARTIES) -> list[str]:
    """Name who is told of an event by webhook."""
    found = deliveries(event, parties, clinic=clinic)
    assert all(message.channel is Channel.WEBHOOK for message in found)
    return [message.recipient for message in found]


def test_an_insurer_hears_of_its_own_authorizations_under_consent_only(clinic: Clinic) -> None:
    insurer = "Organization/workplace-insurer"
    assert insurer in recipients("authorization.decided", clinic)
    no_consent = Parties(site="toronto", requester="family-practice", payer="workplace-insurer")
    assert insurer not in recipients("authorization.decided", clinic, no_consent)
    another = Parties(site="toronto", requester="family-practice", payer="motor-insurer", consented=True)
    assert recipients("authorization.cancelled", clinic, another) == []


@pytest.mark.parametrize("event", sorted(NOTIFICATION_ROUTES))
def test_an_insurer_hears_of_nothing_but_authorizations(event: str, clinic: Clinic) -> None:
    if not event.startswith("authorization."):
        assert "Organization/workplace-insurer" not in recipients(event, clinic)


def test_a_referrer_hears_of_its_own_referrals_only(clinic: Clinic) -> None:
    assert recipients("referral.accepted", clinic) == ["Organization/family-practice"]
    other = Parties(site="toronto", requester="second-practice")
    assert recipients("referral.accepted", clinic, other) == []
    assert recipients("careteam.formed", clinic) == []


def test_a_receiver_hears_only_what_it_asked_for(clinic: Clinic) -> None:
    theirs = Parties(site="toronto", requester="x", payer="motor-insurer", consented=True)
    assert recipients("authorization.requested", clinic, theirs) == ["Organization/motor-insurer"]
    assert recipients("authorization.decided", clinic, theirs) == []


def test_what_a_party_is_never_told_of_is_found(clinic: Clinic) -> None:
    assert list(unavailable_events(clinic)) == []
    wrong = Webhook(id="x", url="https://x/", payer="motor-insurer", events=("referral.accepted",))
    assert list(unavailable_events(clinic.model_copy(update={"webhooks": (wrong,)}))) == [
        (wrong, "referral.accepted")
    ]
    assert set(available_events(INSURER)) == {
        f"authorization.{name}" for name in ("requested", "pended", "decided", "cancelled")
    }


class TestSecrets:
    def test_are_made_once_for_their_owner_only(self, tmp_path: Path) -> None:
        folder = tmp_path / "webhooks"
        make_missing_secrets(folder, names=["a", "b"])
        [first] = read_secrets(folder, "a")
        make_missing_secrets(folder, names=["a", "b"])
        assert read_secrets(folder, "a") == (first,)
        assert len(first) == 32
        assert first != read_secrets(folder, "b")[0]
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
        assert folder.stat().st_mode & 0o777 == 0o700

    def test_may_be_two_while_they_change(self, tmp_path: Path) -> None:
        lines = [f"whsec_{base64.b64encode(bytes([number]) * 24).decode()}" for number in (1, 2)]
        self._write(tmp_path, "\n".join(lines))
        assert read_secrets(tmp_path, "a") == (b"\x01" * 24, b"\x02" * 24)

    @pytest.mark.parametrize("text", ["", "hunter2", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!", "whsec_é"])
    def test_that_are_none_are_refused_in_one_line_without_the_secret(
        self, tmp_path: Path, text: str
    ) -> None:
        self._write(tmp_path, text)
        with pytest.raises(SecretUnusable) as refused:
            read_secrets(tmp_path, "a")
        assert "\n" not in str(refused.value)
        assert text in ("", "whsec_") or text not in str(refused.value)

    def test_that_others_can_read_are_refused(self, tmp_path: Path) -> None:
        make_missing_secrets(tmp_path, names=["a"])
        (tmp_path / "a.secret").chmod(0o644)
        with pytest.raises(SecretUnusable, match="chmod"):
            read_secrets(tmp_path, "a")

    def test_that_are_missing_name_their_file(self, tmp_path: Path) -> None:
        with pytest.raises(SecretUnusable, match=r"a\.secret"):
            read_secrets(tmp_path, "a")

    def _write(self, folder: Path, text: str) -> None:
        file = folder / "a.secret"
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)


class TestTheDocumentedCheck:
    DOCUMENT = Path(__file__).parents[3] / "docs" / "how" / "webhooks.md"

    def test_verifies_what_we_sign_and_nothing_else(self) -> None:
        found = re.search(r"```python\n(.*?)```", self.DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
        assert found is not None
        room: dict[str, Any] = {}
        exec(found[1], room)
        now = int(machine_now().timestamp())
        key, body = b"k" * 32, b'{"resourceType":"Bundle"}'
        secret = f"whsec_{base64.b64encode(key).decode()}"
        headers = signature_headers("one", machine_seconds=now, body=body, secrets=[b"n" * 32, key])
        assert room["verified"](secret, headers, body)
        assert not room["verified"](secret, headers, body + b" ")
        assert not room["verified"](f"whsec_{base64.b64encode(b'x' * 32).decode()}", headers, body)
        late = signature_headers("one", machine_seconds=now - 3600, body=body, secrets=[key])
        assert not room["verified"](secret, late, body)
