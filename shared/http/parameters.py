"""Parameters of a call, as FHIR Parameters or in its query: held against what is declared, and read."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from starlette.datastructures import QueryParams

from shared.errors import Invalid, NotSupported, Problem
from shared.fhir import references
from shared.fhir.values import value_of
from shared.operations import Parameter
from shared.urls import Urls

# What is asked by a GET stands in the query, so it is of a type that a word can say.
_IN_A_QUERY = ("string", "code", "id", "dateTime", "date", "instant")
_HOW_IT_COMES = ("_format", "_pretty")
_NO_SUCH = "there is no such parameter here; there are"
_ONCE = "this parameter comes once"
# Types of which one is as good as the other: a client may not know whether we call a text a code.
_ALIKE = (("string", "code", "id", "markdown"), ("date", "dateTime"))


class UnknownParameter(NotSupported):
    """There is no such parameter, or no such value of it, or it comes once."""


def check(given: Sequence[Mapping[str, Any]], declared: Sequence[Parameter], *, urls: Urls) -> None:
    """Refuse parameters that an operation does not have, or of another type; raises Invalid with all of them.

    Whether one that is needed is missing is for the verb to say.
    """
    if problems := list(_problems(given, declared, urls, where="Parameters.parameter")):
        raise Invalid(problems=problems)


def of_query(query: QueryParams, declared: Sequence[Parameter]) -> dict[str, str]:
    """Read the parameters of an operation that is called by GET: name -> what the query says.

    Raises UnknownParameter for one that is not `declared`, or that comes twice.
    """
    known = [parameter.name for parameter in declared if parameter.type in _IN_A_QUERY]
    check_names(query, known, ignored=_HOW_IT_COMES)
    return dict(query)


def check_names(
    query: QueryParams,
    known: Collection[str],
    *,
    repeatable: Collection[str] = (),
    ignored: Collection[str] = (),
) -> None:
    """Hold the names of a query against those that a route knows, each once but the `repeatable` ones.

    Raises UnknownParameter with all that are not known or come too often.
    """
    problems = []
    for name, count in Counter(name for name, _ in query.multi_items()).items():
        if name in ignored:
            continue
        if name not in known:
            text = f"{_NO_SUCH}: {', '.join(known) or 'none'}"
            problems.append(Problem(text=text, expression=name[:64]))
        elif count > 1 and name not in repeatable:
            problems.append(Problem(text=_ONCE, expression=name))
    if problems:
        raise UnknownParameter(problems=problems)


def _problems(
    given: Sequence[Mapping[str, Any]], declared: Sequence[Parameter], urls: Urls, *, where: str
) -> Iterator[Problem]:
    known = {parameter.name: parameter for parameter in declared}
    if any(parameter.type == "Resource" and parameter.max == "*" for parameter in declared):
        # Resources say by themselves what they are: each comes under the name that its sender gives it.
        given = [entry for entry in given if "resource" not in entry]
    counts = Counter(str(entry["name"]) for entry in given)
    for name, count in counts.items():
        expression = f"{where}.where(name='{name[:64]}')"
        if name not in known:
            yield Problem(text=f"{_NO_SUCH}: {', '.join(known) or 'none'}", expression=expression)
        elif known[name].max == "1" and count > 1:
            yield Problem(text=_ONCE, expression=expression)
    for entry in given:
        if (parameter := known.get(str(entry["name"]))) is not None:
            expression = f"{where}.where(name='{parameter.name}')"
            yield from _problems_of_value(entry, parameter, urls, where=expression)


def _problems_of_value(
    entry: Mapping[str, Any], parameter: Parameter, urls: Urls, *, where: str
) -> Iterator[Problem]:
    if parameter.parts and "part" in entry:
        yield from _problems(entry["part"], parameter.parts, urls, where=f"{where}.part")
        return
    members = _members(parameter)
    said = next((name for name in entry if name in ("part", "resource") or name.startswith("value")), None)
    if said not in members:
        yield Problem(text=f"this parameter has a {members[0]}, not {said or 'nothing'}", expression=where)
    elif parameter.targets and not _names(entry["valueReference"], parameter.targets, urls):
        kinds = " or ".join(parameter.targets)
        yield Problem(text=f"this refers to a {kinds} of this clinic", expression=where)


def _members(parameter: Parameter) -> Sequence[str]:
    """Name the elements in which a value may come, the declared one first."""
    if parameter.parts:
        return ("part",)
    if parameter.type == "Resource":
        return ("resource",)
    alike = next((kinds for kinds in _ALIKE if parameter.type in kinds), ())
    return [f"value{kind[0].upper()}{kind[1:]}" for kind in dict.fromkeys((parameter.type, *alike))]


def _names(reference: Mapping[str, Any], targets: Sequence[str], urls: Urls) -> bool:
    """Tell whether a reference names a resource of one of these types, and none of another server."""
    parsed = references.parse(reference)
    return parsed.type in targets and (parsed.base is None or parsed.base.startswith(f"{urls.base}/"))


def by_name(parameters: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Read parameters as name -> value; a list where the name repeats, a mapping where it has parts."""
    found: dict[str, Any] = {}
    for parameter in parameters:
        name, value = parameter["name"], _value_of(parameter)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], _Repeated):
            found[name].append(value)
        else:
            found[name] = _Repeated([found[name], value])
    return found


def _value_of(parameter: Mapping[str, Any]) -> Any:
    if "part" in parameter:
        return by_name(parameter["part"])
    if "resource" in parameter:
        return parameter["resource"]
    return value_of(parameter)


class _Repeated(list[Any]):
    """The values of a name that came more than once."""
