"""What is said may answer what was said before: it is about the same referral, and ends what was owed."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import ReferralFile
from shared.context import Context
from shared.errors import Invalid
from shared.fhir import references
from shared.fhir.codes import TaskCode
from shared.reasons import Reason


class AnswersNothing(Invalid):
    """What is answered was not said about this referral."""

    code = "not-found"


def check(ctx: Context, said: Mapping[str, Any], file: ReferralFile, *, places: Sequence[str]) -> None:
    """Hold what a Communication answers to what was said about the same referral; `places` says where each
    stands (FHIRPath). Raises AnswersNothing.
    """
    known = {str(row.id) for row, _ in file.enclosures if row.type == "Communication"}
    for answered, where in zip(said.get("inResponseTo", ()), places, strict=True):
        parsed = references.parse(answered)
        is_known = references.is_ours(parsed, ctx.urls) and parsed.id in known
        if parsed.type == "Communication" and not is_known:
            raise AnswersNothing("what is answered is a Communication about this referral", expression=where)


def end(changes: Changes, *codes: TaskCode) -> bool:
    """End what one side owes the other, and tell whether anything was owed."""
    was_owed = any(changes.open_task(code) is not None for code in codes)
    changes.finish_work(status="completed", reason=[Reason.of("answered")], codes=codes)
    return was_owed
