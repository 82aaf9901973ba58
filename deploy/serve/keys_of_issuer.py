"""Where the issuer tells its public keys, and whether they are ones to be trusted here."""

from typing import Any

import httpx

from deploy.settings import Settings, SettingsError, variable


async def jwks_url_of(settings: Settings, *, http: httpx.AsyncClient) -> str:
    """Find the address of the issuer's keys, and look whether they are there and no demo keys."""
    member = "jwks_url" if settings.jwks_url is not None else "issuer"
    url = settings.jwks_url or await _discovered(settings, http=http)
    keys = (await _read(url, member=member, http=http)).get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise SettingsError(f"{variable(member)}: what {url} answers is no set of keys")
    if any(key.get("lumbar_demo") for key in keys):
        raise SettingsError(
            f"{variable(member)}: {url} gives the demo keys of an embedded clinic, which are not taken here"
        )
    return url


async def _discovered(settings: Settings, *, http: httpx.AsyncClient) -> str:
    for name in ("smart-configuration", "openid-configuration"):
        try:
            told = await _read(f"{settings.issuer}/.well-known/{name}", member="issuer", http=http)
        except SettingsError as error:
            refused = error
            continue
        if isinstance(told.get("jwks_uri"), str):
            return str(told["jwks_uri"])
        refused = SettingsError(f"{variable('issuer')}: {settings.issuer} does not tell where its keys are")
    raise refused


async def _read(url: str, *, member: str, http: httpx.AsyncClient) -> dict[str, Any]:
    try:
        answer = await http.get(url)
        content = answer.raise_for_status().json()
    except httpx.HTTPStatusError as error:
        said = f"answers {error.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        said = f"does not answer ({type(error).__name__})"
    except ValueError:
        said = "answers no JSON"
    else:
        if isinstance(content, dict):
            return content
        said = "answers something else"
    raise SettingsError(f"{variable(member)}: {url} {said}")
