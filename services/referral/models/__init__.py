"""What this service keeps and what its rules speak about."""

from services.referral.models import (
    attachments,
    content_types,
    facts,
    grants,
    questions,
    rows,
    snapshot,
    submission,
    tables,
)
