"""The parts that every request of the portal shares, made once at the start."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import Response

from services.portal.api.rendering import make_environments
from services.portal.api.security import Cookies
from services.portal.issuer import Issuer
from services.portal.languages import Language, chosen
from services.portal.reasons import Sentences
from services.portal.runtime import PortalRuntime
from services.portal.sessions import Sessions, SignedIn

# In seconds: language, theme and keys of a browser, a year.
PREFERENCE_KEPT = 365 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Portal:
    """The portal of a clinic."""

    runtime: PortalRuntime
    issuer: Issuer
    sessions: Sessions
    sentences: Sentences
    environments: Mapping[str, Environment]
    cookies: Cookies

    @classmethod
    def of(cls, runtime: PortalRuntime) -> "Portal":
        """Put the parts together."""
        issuer = Issuer(runtime.http, base_url=runtime.base_url)
        return cls(
            runtime=runtime,
            issuer=issuer,
            sessions=Sessions(runtime, issuer),
            sentences=Sentences(runtime.clinic),
            environments=make_environments(runtime.languages),
            cookies=Cookies(is_secure=runtime.is_secure),
        )

    def language_of(self, request: Request, *, wanted: str | None = None) -> Language:
        """Give the language of a request: the one that is asked for, that was picked, or the browser's."""
        cookie = self.cookies.read(request.cookies, "language")
        picked = wanted if wanted in self.runtime.languages else cookie
        accepted = request.headers.get("accept-language", "")
        return chosen(self.runtime.languages, cookie=picked, accepted=accepted)

    def zone_of(self, person: SignedIn) -> tzinfo:
        """Give the zone in which a person reads times: that of their site, else of the clinic's first one."""
        clinic = self.runtime.clinic
        known = next((client for client in clinic.clients if client.id == person.client), None)
        site = known.site if known is not None and known.site is not None else clinic.sites[0].id
        return clinic.site(site).zone

    def plain(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        language: Language | None = None,
        **context: Any,
    ) -> Response:
        """Make a page for anybody, who need not be signed in; in the reader's language, or in this one."""
        language = language or self.language_of(request)
        made = (
            self.environments[language.code]
            .get_template(template)
            .render(
                language=language,
                clinic=self.runtime.clinic,
                theme=self.cookies.read(request.cookies, "theme") or "auto",
                path=request.url.path,
                **context,
            )
        )
        return Response(made, status_code=status, media_type="text/html")
