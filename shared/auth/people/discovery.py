"""What the OpenID provider says of itself (OpenID Connect Discovery 1.0)."""

from typing import Any

from shared.auth.keys import ALGORITHMS
from shared.auth.people import texts
from shared.auth.people.provider import PeopleProvider


def authorization_metadata(base_url: str) -> dict[str, Any]:
    """Say how people sign in, for both discovery documents."""
    return {
        "authorization_endpoint": f"{base_url}/auth/authorize",
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
    }


def openid_configuration(people: PeopleProvider) -> dict[str, Any]:
    """Write the document."""
    base_url = people.base_url
    return {
        "issuer": base_url,
        **authorization_metadata(base_url),
        "token_endpoint": people.issuer.token_url,
        "userinfo_endpoint": f"{base_url}/auth/userinfo",
        "end_session_endpoint": f"{base_url}/auth/end-session",
        "jwks_uri": f"{base_url}/auth/jwks",
        "response_modes_supported": ["query"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [people.issuer.keys.issuer.algorithm],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "scopes_supported": ["openid", "fhirUser", "offline_access", "user/*.cruds", "system/*.cruds"],
        "claims_supported": [
            *("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "sid"),
            *("name", "fhirUser", "locale", "party", "client_id"),
        ],
        "ui_locales_supported": list(texts.LOCALES),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
    }
