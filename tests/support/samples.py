"""The FHIR examples of other projects, where they are: beside this project in `shared/fhir-samples`, never
in it.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

Resource = dict[str, Any]

FOLDER = Path(os.environ.get("LUMBAR_FHIR_SAMPLES", Path(__file__).parents[3] / "shared" / "fhir-samples"))
needs_samples = pytest.mark.skipif(not FOLDER.is_dir(), reason="the FHIR samples are not on this machine")


def sample_files() -> list[Path]:
    """Every sample, in a fixed order."""
    return sorted(FOLDER.glob("*/*.json")) if FOLDER.is_dir() else []


def sample_resources(resource_type: str) -> list[tuple[str, Resource]]:
    """Every sample of a type that was meant to be valid, with a name to show."""
    found = []
    for path in sample_files():
        if path.name.startswith(("mustfail__", "support__")) or "stu3" in path.parent.name:
            continue
        try:
            resource = json.loads(path.read_bytes())
        except ValueError:
            continue
        if isinstance(resource, dict) and resource.get("resourceType") == resource_type:
            found.append((f"{path.parent.name}/{path.name}", resource))
    return found
