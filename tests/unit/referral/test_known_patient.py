"""A patient who is only named is one patient, or nobody."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from services.referral import queries
from services.referral.models.rows import Patient
from services.referral.use_cases import match_patient
from shared.auth.principal import Principal
from shared.auth.scopes import Scopes
from tests.support.context import a_context

SENDER = Principal(client="p", party="referrer", scopes=Scopes.parse([]), organization="p")
CTX = a_context(at=datetime(2026, 3, 2, 15, tzinfo=UTC), principal=SENDER)
NO_DATABASE: Any = None


@pytest.fixture(autouse=True)
def everybody_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    async def visible_to(*_: Any) -> Patient:
        return Patient(identifiers=[], family="Roe", given="Ann")

    monkeypatch.setattr(queries.patients, "visible_to", visible_to)


@pytest.mark.parametrize("number", [0, 2])
async def test_of_several_whom_an_identifier_may_mean_none_is_chosen(number: int) -> None:
    submission: Any = SimpleNamespace(patient_id=None)
    matches = [Patient(identifiers=[], family="Roe", given="Ann") for _ in range(number)]
    with pytest.raises(match_patient.UnknownPatient, match="send the Patient along"):
        await match_patient.known_patient(CTX, NO_DATABASE, submission, matches=matches)
