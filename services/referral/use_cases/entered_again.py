"""A coordinator enters again what is there: as its sender corrects its own, never in that sender's place."""

from services.referral import rules
from services.referral.models.rows import Referral
from services.referral.models.submission import Submission
from shared.context import Context
from shared.errors import Conflict
from shared.fhir.instants import instant


class SendersOwn(Conflict):
    """A coordinator enters otherwise what the sender has sent itself."""


class AnotherArrival(Conflict):
    """A referral is entered again as having come at another time: its promise counts from the first."""


def check(ctx: Context, submission: Submission, referral: Referral) -> None:
    """Hold what a coordinator enters to what was entered before; raises SendersOwn and AnotherArrival."""
    reason = rules.acts.is_senders(ctx, referral)
    rules.steps.check(reason, refusal=SendersOwn, of="ServiceRequest.identifier")
    arrived = None if submission.entry is None else submission.entry.arrived_at
    if arrived not in (None, referral.sent_at):
        text = (
            f"it is entered as having come at {instant(referral.sent_at)}, from which its promise counts: say"
            " that, or leave `arrived` out; a wrong time is put right by $revoke and entering it anew"
        )
        raise AnotherArrival(text, expression="ServiceRequest.extension")
