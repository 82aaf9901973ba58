"""The MessageDefinitions of the messages that this service takes."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from services.referral import fhir
from shared.http.definitions import DefinitionParam, add_definitions, named

router = APIRouter()


def _event(definition: Mapping[str, Any]) -> tuple[str, str]:
    coding = definition["eventCoding"]
    return coding["code"], f"{coding['system']}|{coding['code']}"


def _focus(definition: Mapping[str, Any]) -> list[str]:
    return [focus["code"] for focus in definition["focus"]]


add_definitions(
    router,
    fhir.message_definitions.render,
    resource_type="MessageDefinition",
    params={
        "url": named("url", "its canonical URL", kind="uri"),
        "name": named("name", "the beginning of its name", kind="string"),
        "status": named("status", "`active`"),
        "event": DefinitionParam(kind="token", text="the event, as `code` or `system|code`", has=_event),
        "focus": DefinitionParam(kind="token", text="a type of resource that it is about", has=_focus),
    },
    why="says which messages are taken",
)
