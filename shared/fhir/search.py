"""FHIR search over a service's own columns: parameters declared, never parsed twice, always inside the row
scope.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.db import ResourceRow

Kind = Literal["token", "tokens", "reference", "date", "string"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchParam:
    """One search parameter and the column behind it.

    token: a code column, given as `code`, `system|code` or `|code`, commas mean or; tokens: a text[] column
    of `system|value` (identifiers); reference: a text or UUID column that holds the bare id, given as
    `Type/id`, `id` or an absolute URL, with `types` as the allowed types; date: a timestamptz column, with
    prefixes eq, ne, gt, ge, lt, le; string: a text column, matched from its start without case.
    """

    kind: Kind
    column: Any
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """What `_include=Type:param` adds: rows of `model` whose id stands in `column` of the matches.

    `visible` is the row scope of the included type; a row that the caller may not see is not included.
    """

    resource_type: str
    model: type[ResourceRow]
    column: Any
    visible: Any


Params = Mapping[str, SearchParam]
