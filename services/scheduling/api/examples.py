"""Example bodies for the OpenAPI document."""

EXAMPLES = {
    "PUT /fhir/Appointment/{id}": {
        "resourceType": "Appointment",
        "status": "arrived",
        "start": "2026-03-09T14:00:00Z",
        "end": "2026-03-09T15:00:00Z",
        "participant": [
            {
                "actor": {"reference": "Patient/0b9d2f5e-6c1a-7e43-8f2b-1a3c5d7e9f01"},
                "status": "accepted",
            }
        ],
    }
}
