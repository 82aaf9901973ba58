"""The sender writes its ServiceRequest as revoked: `$revoke` for who only reads and writes resources."""

from collections.abc import Mapping
from typing import Any

from services.referral import fhir
from services.referral.models.rows import Referral
from services.referral.use_cases import end
from services.referral.use_cases.referral_file import NoReason, ReferralFile
from shared.context import Context
from shared.db import Transaction


async def run(ctx: Context, tx: Transaction, file: ReferralFile, *, wanted: Mapping[str, Any]) -> Referral:
    """Take a locked referral back, as it is written; revoking it again changes nothing.

    Raises OnlyRevocation where anything else would change, NoReason where it does not say why.
    """
    if not fhir.revocation.is_wanted(file.request, wanted, urls=ctx.urls):
        return file.referral
    reason = fhir.revocation.reason(file.request, wanted)
    if not reason:
        raise NoReason(f"say why in {fhir.revocation.WHERE}", expression="ServiceRequest.note")
    return await end.revoke(ctx, tx, str(file.referral.id), reason=reason)
