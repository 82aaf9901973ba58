"""The reasons of all services in every language: the code systems that each service serves, and a page.

`python -m deploy.reasons` writes the page (docs/reasons.md) anew.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from deploy.services import SERVICES, room
from shared.fhir import reason_codes
from shared.fhir.reason_codes import ServiceTexts

PAGE = Path(__file__).parents[1] / "docs" / "reasons.md"
# The room of a service that has the texts of each language.
_ROOMS: Mapping[str, str] = {"en": "texts", "fr": "texts_fr"}
_HEAD = """# Reasons

Written by `python -m deploy.reasons`. Every reason is a code with typed arguments; a reader says it in
their own language and zone from the code system `{url}`, which each service
serves at `/SERVICE/fhir/CodeSystem` ([how](how/reasons.md)).

"""


def texts_of(service: str) -> ServiceTexts:
    """Read what a service says, in every language."""
    rooms = {language: room(service, name) for language, name in _ROOMS.items()}
    return ServiceTexts(
        service=service,
        sentences={language: texts.REASONS for language, texts in rooms.items()},
        words={language: texts.WORDS for language, texts in rooms.items()},
        kinds=rooms["en"].ARGUMENTS,
    )


@cache
def code_systems() -> Sequence[Mapping[str, Any]]:
    """Make the code systems of all reasons and of the words of their arguments, once for all services."""
    return reason_codes.code_systems([texts_of(service) for service in SERVICES])


def page() -> str:
    """Write the page: each code with its arguments and sentences, by the service that gives it first."""
    reasons, words = code_systems()
    lines = [_HEAD.format(url=reasons["url"])]
    for service in (None, *SERVICES):
        found = [concept for concept in reasons["concept"] if _first_of(concept) == service]
        title = "Of all services" if service is None else f"Of {service}"
        lines += [f"## {title}\n\n", "| Code | Arguments | English | French |\n|---|---|---|---|\n"]
        lines += [_row(concept) for concept in found]
        lines.append("\n")
    lines += [
        f"## Words of arguments\n\n`{words['url']}`\n\n",
        "| Code | English | French |\n|---|---|---|\n",
    ]
    lines += [
        f"| `{one['code']}` | {one['display']} | {one['designation'][0]['value']} |\n"
        for one in words["concept"]
    ]
    return "".join(lines)


def _first_of(concept: Mapping[str, Any]) -> str | None:
    given = (prop["valueCode"] for prop in concept.get("property", ()) if prop["code"] == "service")
    return next(given, None)


def _row(concept: Mapping[str, Any]) -> str:
    arguments = ", ".join(
        f"{prop['valueCode']} ({prop['code']})"
        for prop in concept.get("property", ())
        if prop["code"] != "service"
    )
    french = concept["designation"][0]["value"]
    return f"| `{concept['code']}` | {arguments} | {concept['display']} | {french} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
