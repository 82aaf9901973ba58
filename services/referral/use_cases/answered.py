"""What is said may answer what was said before: it is about the same referral, and ends what was owed."""

from collections.abc import Mapping
from typing import Any

from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import ReferralFile
from shared.errors import Invalid
from shared.fhir import references
from shared.fhir.codes import TaskCode
from shared.reasons import Reason


class AnswersNothing(Invalid):
    """What is answered was not said about this referral."""

    code = "not-found"


def check(said: Mapping[str, Any], file: ReferralFile, *, where: str) -> None:
    """Hold what a Communication answers to what was said about the same referral; raises AnswersNothing with
    the element (FHIRPath).
    """
    known = {f"Communication/{row.id}" for row, _ in file.enclosures if row.type == "Communication"}
    for answered in said.get("inResponseTo", []):
        text = str(answered.get("reference", ""))
        if references.reference_type(text) == "Communication" and not any(map(text.endswith, known)):
            raise AnswersNothing("what is answered is a Communication about this referral", expression=where)


def end(changes: Changes, *codes: TaskCode) -> bool:
    """End what one side owes the other, and tell whether anything was owed."""
    was_owed = any(changes.open_task(code) is not None for code in codes)
    changes.finish_work(status="completed", reason=[Reason.of("answered")], codes=codes)
    return was_owed
