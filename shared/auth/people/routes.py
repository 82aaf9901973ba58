"""The addresses at which people sign in and out, and at which the portal asks who somebody is."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.auth.issuer import OAuthError
from shared.auth.people import accept_invitation, browser, elsewhere, information, sign_in
from shared.auth.people.answers import failed_answer, problem_answer
from shared.auth.people.authorization import AuthorizationRefused, UnknownApplication, answer_url
from shared.auth.people.browser import NotFromHere
from shared.auth.people.invitations import INVITATION_PATH
from shared.auth.people.live_sessions import SESSION_STATUS_PATH
from shared.auth.people.provider import CALLBACK_PATH, PeopleProvider
from shared.auth.people.sign_out import end_session

Handler = Callable[[PeopleProvider, Request], Awaitable[Response]]


def people_routes(people: PeopleProvider) -> list[Route]:
    """Give the routes of the OpenID provider."""

    def route(path: str, handler: Handler, *methods: str) -> Route:
        return Route(path, _guarded(people, handler), methods=list(methods))

    return [
        route("/.well-known/openid-configuration", information.configuration, "GET"),
        route("/auth/authorize", sign_in.authorize, "GET", "POST"),
        route(sign_in.PATH, sign_in.show, "GET"),
        route(sign_in.PATH, sign_in.take, "POST"),
        route(elsewhere.PATH, elsewhere.send, "GET"),
        route(CALLBACK_PATH, elsewhere.come_back, "GET"),
        route(INVITATION_PATH, accept_invitation.show, "GET"),
        route(INVITATION_PATH, accept_invitation.take, "POST"),
        route("/auth/end-session", end_session, "GET", "POST"),
        route("/auth/userinfo", information.userinfo, "GET", "POST"),
        route(SESSION_STATUS_PATH, information.session_status, "POST"),
        route("/auth/demo-people", information.demo_people, "GET"),
        route("/auth/style.css", information.style, "GET"),
    ]


def _guarded(people: PeopleProvider, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Answer what a handler refuses or fails at with a page that says so."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(people, request)
        except AuthorizationRefused as error:
            told = {"error": error.code, "error_description": str(error)}
            url = answer_url(error.redirect_uri, issuer=people.base_url, state=error.state, **told)
            return browser.redirect(url)
        except UnknownApplication:
            return problem_answer(people, request, "unknown-application", status=400)
        except OAuthError:
            return problem_answer(people, request, "wrong-request", status=400)
        except NotFromHere:
            return problem_answer(people, request, "not-from-here", status=403)
        except Exception as error:
            return failed_answer(people, request, error)

    return answer
