"""The public API of `notifications`: messages as Communications, the directory, and the live feed."""

from fastapi import APIRouter

from services.notifications import queries
from services.notifications.api import feed, links
from services.notifications.models.tables import NotificationTable
from shared.fhir.search import SearchParam
from shared.fhir.status_systems import STATUS_SYSTEMS
from shared.http.directory_reads import add_directory_reads
from shared.http.resources import add_reads

PARAMS = {
    "recipient": SearchParam(
        kind="reference",
        column=NotificationTable.recipient_id,
        types=("Organization", "Practitioner", "Device", "Patient"),
    ),
    "based-on": SearchParam(
        kind="reference", column=NotificationTable.referral_id, types=("ServiceRequest",)
    ),
    "subject": SearchParam(kind="reference", column=NotificationTable.patient_id, types=("Patient",)),
    "status": SearchParam(
        kind="token", column=NotificationTable.status, system=STATUS_SYSTEMS["Communication"]
    ),
    "sent": SearchParam(kind="date", column=NotificationTable.sent_at),
}


_communications = APIRouter()
add_reads(
    _communications,
    resource_type="Communication",
    model=NotificationTable,
    visible=queries.visible.visible_to,
    rows="a coordinator those of its site, everybody else those sent to them",
    params=PARAMS,
)

_directory = APIRouter()
add_directory_reads(_directory)

ROUTERS = (_communications, _directory, feed.router, links.router)
