"""A searchset of computed resources."""

from collections.abc import Sequence
from typing import Any


def render(resources: Sequence[dict[str, Any]], *, address: str, base: str) -> dict[str, Any]:
    """Write a searchset Bundle of everything that was found, without `entry` where that is nothing."""
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(resources),
        "link": [{"relation": "self", "url": address}],
    }
    entries = [
        {
            "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in resources
    ]
    return bundle | ({"entry": entries} if entries else {})
