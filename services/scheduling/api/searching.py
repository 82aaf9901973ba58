"""Query parameters of what is computed and not stored; an unknown one is refused."""

from collections.abc import Collection

from shared.errors import NotSupported
from shared.http.request_context import RequestContext


class UnsupportedSearch(NotSupported):
    """The search asks for something that this server does not do."""


def check_names(request: RequestContext, known: Collection[str]) -> None:
    """Raise UnsupportedSearch for a parameter that is none of these."""
    for name in request.query:
        if name not in known:
            text = f"parameter {name!r} is none of {', '.join(sorted(known))}"
            raise UnsupportedSearch(text, expression=name[:64])
