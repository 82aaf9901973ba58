"""Reading a search: a parameter is understood, refused, or ignored with a note where the caller is lenient.

R4 http.html 3.1.0.1.2 (`Prefer: handling`) and search.html.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.errors import Invalid, NotSupported, Problem
from shared.fhir import search_values, subsets
from shared.fhir.search import (
    DEFAULT_COUNT,
    MAX_COUNT,
    OWN_KINDS,
    Criterion,
    Include,
    Kind,
    Order,
    Params,
    Reverse,
    Search,
    SearchParam,
)
from shared.fhir.subsets import WHOLE, Subset
from shared.urls import Urls

_NOTHING: Mapping[str, Any] = {}
_CONTROLS = ("_count", "_sort", "_after", "_total", *subsets.NAMES, "_include", "_revinclude")
# `_totalMethod` is fhirpy's own word for what `_count=0` says.
_IGNORED = frozenset({"_format", "_pretty", "_totalMethod"})
_TOTALS = ("none", "estimate", "accurate")
_MODIFIERS: Mapping[Kind, tuple[str, ...]] = {
    "token": ("missing", "not"),
    "coding": ("missing", "not"),
    "tokens": ("missing", "not"),
    "reference": ("missing",),
    "date": ("missing",),
    "string": ("missing", "exact", "contains"),
}


def parse(
    query: Sequence[tuple[str, str]],
    params: Params,
    *,
    resource_type: str = "Resource",
    includes: Mapping[str, Include] = _NOTHING,
    reverses: Mapping[str, Reverse] = _NOTHING,
    elsewhere: Mapping[str, str] = _NOTHING,
    urls: Urls | None = None,
    lenient: bool = False,
) -> Search:
    """Read a query of a type.

    `includes` and `reverses` are what `_include` and `_revinclude` can name, `elsewhere` says of further ones
    where they are found. Raises NotSupported for an unknown parameter, modifier or include, which becomes a
    note where the caller is `lenient`, and Invalid for a bad value, each with the parameter as expression.
    """
    reader = _Reader(params, urls=urls, resource_type=resource_type, lenient=lenient)
    asked: dict[str, list[str]] = {}
    for name, value in query:
        if name in _CONTROLS:
            asked.setdefault(name, []).append(value)
        elif name not in _IGNORED:
            reader.criterion(name, value)
    included = reader.included("_include", asked, includes, _NOTHING)
    reverse = reader.included("_revinclude", asked, reverses, elsewhere)
    sort = reader.sort(_last(asked, "_sort") or "")
    subset = reader.subset(asked)
    total = _last(asked, "_total")
    if total is not None and total not in _TOTALS:
        raise Invalid(f"one of {', '.join(_TOTALS)} is needed", expression="_total")
    return Search(
        criteria=tuple(reader.criteria),
        sort=sort,
        count=0 if "count" in asked.get("_summary", ()) else read_count(_last(asked, "_count")),
        after=_last(asked, "_after"),
        includes=included,
        revincludes=reverse,
        with_total=total != "none",
        counts_all=total == "accurate",
        subset=subset,
        notes=tuple(reader.notes),
    )


class _Reader:
    """Reads the parts of a query; what is not supported is raised, or noted where the caller is lenient."""

    def __init__(self, params: Params, *, urls: Urls | None, resource_type: str, lenient: bool) -> None:
        self._params = params
        self._urls = urls
        self._type = resource_type
        self._lenient = lenient
        self.criteria: list[Criterion] = []
        self.notes: list[Problem] = []

    def criterion(self, name: str, text: str) -> None:
        base, _, modifier = name.partition(":")
        param = self._params.get(base)
        kind = param.kind if param is not None else OWN_KINDS.get(base)
        if kind is None:
            known = ", ".join(sorted({*self._params, *OWN_KINDS, *_CONTROLS}))
            self._unsupported(f"there is no such search parameter here; there are {known}", base[:64])
            return
        types = param.types if param is not None else ()
        modifiers = _MODIFIERS[kind]
        if param is not None and param.matches is not None:
            modifiers = tuple(name for name in modifiers if name in ("missing", "not"))
        if modifier and modifier not in (*types, *modifiers):
            can = " or ".join((*types, *modifiers))
            self._unsupported(f"this modifier is not supported; {can} is", base)
            return
        try:
            self.criteria.append(self._read(base, text, param, kind, modifier=modifier))
        except NotSupported as refused:
            self._unsupported(refused.problems[0].text or "", base)

    def _read(
        self, name: str, text: str, param: SearchParam | None, kind: Kind, *, modifier: str
    ) -> Criterion:
        if modifier == "missing":
            if text not in ("true", "false"):
                raise Invalid("true or false is needed", expression=name)
            return Criterion(name=name, param=param, values=(text == "true",), modifier=modifier)
        types = param.types if param is not None else ()
        of_type = modifier in types
        values = search_values.split(text)
        if of_type:
            types = (modifier,)
            values = [value if "/" in value else f"{modifier}/{value}" for value in values]
        read = tuple(
            search_values.read(kind, value, name=name, types=types, urls=self._urls) for value in values
        )
        return Criterion(name=name, param=param, values=read, modifier="" if of_type else modifier)

    def included(
        self,
        control: str,
        asked: Mapping[str, Sequence[str]],
        known: Mapping[str, Include] | Mapping[str, Reverse],
        elsewhere: Mapping[str, str],
    ) -> tuple[str, ...]:
        """Name what is to be included; `*` is all of it (R4 search.html 3.1.1.5.4)."""
        wanted: dict[str, None] = {}
        for text in asked.get(control, ()):
            found = list(known) if text == "*" else self._matching(text, known)
            if not found and text != "*":
                can = f"what can: {', '.join(sorted(known)) or 'nothing'}"
                why = elsewhere.get(":".join(text.split(":")[:2]), can)
                self._unsupported(f"this cannot be included; {why}", control)
            wanted |= dict.fromkeys(found)
        return tuple(wanted)

    def _matching(self, text: str, known: Mapping[str, Include] | Mapping[str, Reverse]) -> list[str]:
        """Find what `Type:param`, `Type:*` or either with the type that is referred to means."""
        of, param, target, *more = (*text.split(":"), "", "")[: text.count(":") + 3]
        found = [name for name in known if name.split(":")[0] == of and param in (name.split(":")[1], "*")]
        fit = [name for name in found if target in ("", self._target(known[name]))]
        return [] if any(more) else fit

    def _target(self, reference: Include | Reverse) -> str:
        return reference.resource_type if isinstance(reference, Include) else self._type

    def sort(self, text: str) -> tuple[Order, ...]:
        orders = []
        for part in filter(None, text.split(",")):
            name = part.removeprefix("-")
            param = self._params.get(name)
            if (param is None and name not in OWN_KINDS) or (param is not None and param.kind == "tokens"):
                sortable = (name for name, param in self._params.items() if param.kind != "tokens")
                known = ", ".join(sorted({*OWN_KINDS, *sortable}))
                self._unsupported(f"this cannot be sorted by; one can sort by {known}", "_sort")
            else:
                orders.append(Order(name=name, param=param, descending=part.startswith("-")))
        return tuple(orders)

    def subset(self, asked: Mapping[str, Sequence[str]]) -> Subset:
        if not asked.keys() & {*subsets.NAMES}:
            return WHOLE
        try:
            subset, unknown = subsets.read(asked, resource_type=self._type)
        except NotSupported as refused:
            self._unsupported(refused.problems[0].text or "", "_elements")
            return subsets.read({"_summary": asked["_summary"]}, resource_type=self._type)[0]
        if unknown:
            self._unsupported(f"a {self._type} has no {', '.join(unknown)}"[:200], "_elements")
        return subset

    def _unsupported(self, text: str, expression: str) -> None:
        refusal = NotSupported(text, expression=expression)
        if not self._lenient:
            raise refusal
        self.notes += [replace(problem, severity="warning") for problem in refusal.problems]


def _last(asked: Mapping[str, Sequence[str]], name: str) -> str | None:
    return asked[name][-1] if name in asked else None


def read_count(text: str | None) -> int:
    """Read `_count`; raises Invalid for what is no number."""
    if text is None:
        return DEFAULT_COUNT
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid("a number that is not negative is needed", expression="_count")
    return min(int(text), MAX_COUNT)
