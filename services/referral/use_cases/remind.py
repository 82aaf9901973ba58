"""A coordinator reminds the referrer of what was asked for and has not come."""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from services.referral import rules
from services.referral.models.rows import Referral
from services.referral.use_cases import record, referral_file
from services.referral.use_cases.changes import Changes
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import referral as events
from shared.reasons import Reason

_REMINDED = "reminded"


class NothingAsked(Conflict):
    """The referrer owes nothing of which it could be reminded."""


async def run(ctx: Context, tx: Transaction, referral_id: str, *, said: Mapping[str, Any]) -> Referral:
    """Tell the referrer once more, and let its Task say when; raises NothingAsked."""
    file = await referral_file.for_caller(ctx, tx, referral_id)
    rules.steps.check(rules.acts.may_remind(ctx, file.referral), refusal=NothingAsked)
    asked = list(takewhile(lambda reason: reason.code != _REMINDED, file.referral.reason))
    file.referral.reason = [*asked, Reason.of("reminded", at=ctx.at), *referral_file.words_said(said)]
    changes = Changes(ctx, file)
    changes.announce(events.ReferralReminded)
    return await record.run(ctx, tx, changes)
