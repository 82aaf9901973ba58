"""A document that comes after its referral: a DocumentReference that names it."""

from services.referral import queries
from services.referral.models.rows import Enclosure
from services.referral.models.submission import Piece
from services.referral.use_cases import provide_information
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid
from shared.fhir import references

_TYPE = "DocumentReference"
_RELATED = f"{_TYPE}.context.related"


class NoReferralNamed(Invalid):
    """A document says which referral of its sender it belongs to."""

    code = "required"


class NoSubjectNamed(Invalid):
    """A document says whom it is about."""

    code = "required"


async def run(ctx: Context, tx: Transaction, piece: Piece) -> Enclosure:
    """Add a document to the sender's referral; raises NoReferralNamed, NoSubjectNamed, and what
    `provide_information` raises.
    """
    if not isinstance(piece.data.get("subject"), dict):
        raise NoSubjectNamed("the patient of the referral", expression=f"{_TYPE}.subject")
    referral = await _referral(ctx, tx, piece)
    provided = await provide_information.add(ctx, tx, referral, pieces=[piece], places=[_TYPE])
    return provided.rows[0]


async def _referral(ctx: Context, tx: Transaction, piece: Piece) -> str:
    """Find the one referral of the sender that a document names."""
    named = [references.parse(one) for one in piece.data.get("context", {}).get("related", [])]
    requests = {
        parsed.id
        for parsed in named
        if parsed.type == "ServiceRequest" and parsed.id and references.is_ours(parsed, ctx.urls)
    }
    if len(requests) == 1:
        [request] = requests
        if await queries.referrals.visible_to(tx, ctx.caller, request) is not None:
            return request
    text = "the one referral of yours that this belongs to: ServiceRequest/id as the answer to it said"
    raise NoReferralNamed(text, expression=_RELATED)
