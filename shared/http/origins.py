"""Where a request of a browser comes from: a page of our origin, or some other."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers


def is_of_our_origin(headers: Headers, *, base_url: str) -> bool:
    """Tell whether the browser says that a page of our origin sent a request.

    An old browser says so by Origin alone; one that says nothing is not believed.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return headers.get("origin") == origin_of(base_url)


def origin_of(url: str) -> str:
    """Return the origin of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
