"""Read clinic.yaml, and say in one line what is wrong with it and where.

Invariant: a time such as 12:00 is text whether it is quoted or not (YAML 1.1 would read minutes of an hour).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from shared.clinic import booked_visits, course_checks, sign_in, webhooks
from shared.clinic.checks import findings
from shared.clinic.flaws import Flaw, Place
from shared.clinic.model import Clinic
from shared.errors import OneLine

_MISSING = "is missing"


class ClinicFileError(OneLine):
    """clinic.yaml is wrong; the text is one line with the file, the line, the element and what is allowed."""


def load_clinic(path: Path) -> Clinic:
    """Read clinic.yaml; raises ClinicFileError for the first thing that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ClinicFileError(f"{path}: cannot be read as a UTF-8 file ({type(error).__name__})") from error
    root, content = _parsed(path, text)
    lines = dict(_lines(root, ()))
    for place, line, key in _repeated_keys(root, ()):
        raise ClinicFileError(f"{path}:{line}: {_named((*place, key))}: stands here twice; once is allowed")
    try:
        clinic = Clinic.model_validate(content)
    except ValidationError as error:
        wrong = _deepest([_finding(one) for one in error.errors()])
        raise _first_of(wrong, path, lines) from error
    parts = (booked_visits, course_checks, webhooks, sign_in)
    wrong = [*findings(clinic), *(flaw for part in parts for flaw in part.findings(clinic))]
    if wrong:
        raise _first_of(wrong, path, lines)
    return clinic


class _Loader(yaml.SafeLoader):
    """YAML as clinic.yaml uses it: no numbers to the base of 60."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, shape) for tag, shape in resolvers if not tag.endswith((":int", ":float"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+\.[0-9]+$"), list("-+0123456789")
)


def _parsed(path: Path, text: str) -> tuple[yaml.Node, Any]:
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        content = loader.construct_document(root) if root is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        problem = getattr(error, "problem", None) or "no text that YAML can hold"
        raise ClinicFileError(f"{path}:{line}: this is not YAML: {problem}") from error
    except (ValueError, TypeError) as error:
        raise ClinicFileError(f"{path}:1: a value cannot be read: {error}") from error
    if root is None or not isinstance(content, dict):
        raise ClinicFileError(f"{path}:1: a clinic is a mapping that begins with id, name and email")
    return root, content


def _lines(node: yaml.Node, place: Place) -> Iterator[tuple[Place, int]]:
    """Tell for every element of the file the line on which it stands; a member's line is that of its name."""
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            yield from _lines(child, (*place, index))
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            yield from _lines(child, (*place, key.value))
            yield (*place, key.value), key.start_mark.line + 1


def _repeated_keys(node: yaml.Node, place: Place) -> Iterator[tuple[Place, int, str]]:
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            yield from _repeated_keys(child, (*place, index))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, child in node.value:
            if key.value in seen:
                yield place, key.start_mark.line + 1, key.value
            seen.add(key.value)
            yield from _repeated_keys(child, (*place, key.value))


def _deepest(wrong: list[Flaw]) -> list[Flaw]:
    """Leave out what only follows from something inside it; what is missing comes last, as it may be
    misspelt.
    """
    inner = {one.place[:length] for one in wrong for length in range(len(one.place))}
    wrong = [one for one in wrong if one.place not in inner]
    return [one for one in wrong if one.text != _MISSING] or wrong


def _finding(error: Any) -> Flaw:
    place: Place = tuple(error["loc"])
    if error["type"] == "missing":
        return Flaw(place, _MISSING)
    if error["type"] == "extra_forbidden":
        return Flaw(place, f"is not known here; allowed are {', '.join(_members(place[:-1]))}")
    found = error["input"]
    shown = f", not {found!r}" if isinstance(found, str | int | float) else ""
    return Flaw(place, f"{error['msg'][:1].lower()}{error['msg'][1:]}{shown}")


def _members(place: Place) -> list[str]:
    """Name the members that the model allows at this place."""
    model: type[BaseModel] = Clinic
    for step in place:
        if isinstance(step, str):
            named = {field.alias or name: field for name, field in model.model_fields.items()}
            model = _model_in(named[step].annotation)
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = getattr(annotation, "__args__", ())
    return next(_model_in(one) for one in inner if one is not type(None) and one is not Ellipsis)


def _first_of(wrong: list[Flaw], path: Path, lines: dict[Place, int]) -> ClinicFileError:
    line, finding = min(((_line_of(one.place, lines), one) for one in wrong), key=lambda pair: pair[0])
    return ClinicFileError(f"{path}:{line}: {_named(finding.place)}: {finding.text}")


def _line_of(place: Place, lines: dict[Place, int]) -> int:
    while place not in lines:
        place = place[:-1]
    return lines[place]


def _named(place: Place) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.lstrip(".") or "the file"
