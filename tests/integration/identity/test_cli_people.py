"""`lumbar people` beside a clinic that runs: links that work, people listed, removed and signed out."""

import subprocess
from pathlib import Path

import httpx
import pytest

from tests.support.process import LUMBAR, LumbarProcess
from tests.support.sign_in import form_of

pytestmark = pytest.mark.xdist_group("cli-people")


def people(clinic: LumbarProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LUMBAR, "people", *arguments], env=clinic.environment, capture_output=True, text=True, check=False
    )


def test_people_are_invited_listed_and_removed_beside_the_running_clinic(tmp_path: Path) -> None:
    with LumbarProcess(tmp_path / "data") as clinic:
        clinic.start()
        clinic.wait_until_ready()
        made = people(clinic, "invite", "Maja@x.example", "--name", "Maja", "--client", "physiotherapist")
        assert made.returncode == 0, made.stderr
        link = made.stdout.strip()
        assert link.startswith(f"{clinic.url}/auth/invitation?link=")
        assert "maja" not in link.lower()
        with httpx.Client(base_url=clinic.url) as http:
            action, fields = form_of(http.get(link))
            form = {**fields, "password": "a sentence for Monday", "again": "a sentence for Monday"}
            assert http.post(action, data=form, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
        listed = people(clinic, "list").stdout
        assert listed == "maja@x.example\tMaja\tphysiotherapist\tactive\n"
        assert people(clinic, "sign-out", "maja@x.example").stdout == "0 sessions ended\n"
        renewed = people(clinic, "reset", "maja@x.example").stdout.strip()
        assert renewed.startswith(f"{clinic.url}/auth/invitation?link=")
        assert renewed != link
        assert people(clinic, "remove", "maja@x.example").stdout == "maja@x.example is removed\n"
        assert people(clinic, "list").stdout == ""
        assert "Maja" not in clinic.log.read_text()
        clinic.stop()
        again = people(clinic, "invite", "ren", "--name", "Ren", "--client", "occupational-therapist")
        assert again.returncode == 0, again.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("invite", "x", "--name", "X", "--client", "nobody"), "lumbar: --client: there is no 'nobody'"),
        (("remove", "x"), "lumbar: there is no clinic in "),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    clinic = LumbarProcess(tmp_path / "nothing")
    told = people(clinic, *arguments)
    assert (told.returncode, told.stderr.startswith(says)) == (2, True), told.stderr
    assert len(told.stderr.splitlines()) == 1
