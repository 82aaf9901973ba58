"""A service asks the issuer whether a person's session goes on.

Invariants:
- What the issuer says counts at once: no answer is kept for the next request.
- Where the issuer does not answer, a session that was live within the last half minute goes on, and any other
  waits (503): a person who signed out can never use a silent issuer for longer than that.
"""

from collections import OrderedDict

import httpx

from shared.clock import monotonic
from shared.errors import Unavailable

SESSION_STATUS_PATH = "/auth/session-status"
GOES_ON_FOR = 30.0
_MAX_REMEMBERED = 10_000


class AskedSessions:
    """The sessions of an issuer that runs in another process."""

    def __init__(self, url: str, *, http: httpx.AsyncClient) -> None:
        self._url = url
        self._http = http
        self._live_at: OrderedDict[str, float] = OrderedDict()

    async def is_live(self, session: str) -> bool:
        """Tell whether a session goes on; raises Unavailable where nobody can say."""
        try:
            answer = await self._http.post(self._url, data={"sid": session})
            live = answer.raise_for_status().json()["live"] is True
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return self._was_live(session)
        self._note(session, live=live)
        return live

    def _was_live(self, session: str) -> bool:
        if monotonic() - self._live_at.get(session, float("-inf")) > GOES_ON_FOR:
            raise Unavailable("the authorization server does not say at the moment whether you are signed in")
        return True

    def _note(self, session: str, *, live: bool) -> None:
        self._live_at.pop(session, None)
        if live:
            self._live_at[session] = monotonic()
        while len(self._live_at) > _MAX_REMEMBERED:
            self._live_at.popitem(last=False)
