"""What must hold of the receivers in clinic.yaml: one party's each, by https, at an allowed host."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from shared.clinic.flaws import Flaw, Place, https_url, known, twice
from shared.clinic.model import Clinic
from shared.clinic.parties import Webhook
from shared.events.catalog import CATALOG


def findings(clinic: Clinic) -> Iterator[Flaw]:
    """Find everything that does not fit together."""
    hooks = clinic.webhooks
    yield from twice((("webhooks", index, "id"), hook.id) for index, hook in enumerate(hooks))
    parties = [(index, hook) for index, hook in enumerate(hooks) if hook.payer or hook.organization]
    yield from twice((("webhooks", index, _member(hook)), _party(hook)) for index, hook in parties)
    for index, hook in enumerate(hooks):
        yield from _webhook(clinic, hook, ("webhooks", index))


def _webhook(clinic: Clinic, hook: Webhook, place: Place) -> Iterator[Flaw]:
    if (hook.payer is None) is (hook.organization is None):
        yield Flaw(place, "a receiver names its payer or its organization, one of both")
    elif hook.payer is not None:
        yield from known((*place, "payer"), hook.payer, (one.id for one in clinic.payers))
    else:
        yield from known((*place, "organization"), _party(hook), (one.id for one in clinic.organizations))
    yield from _url(clinic, hook.url, (*place, "url"))
    for index, event in enumerate(hook.events):
        if event not in CATALOG:
            yield Flaw((*place, "events", index), f"there is no event {event!r}; docs/events.md has them all")


def _url(clinic: Clinic, url: str, place: Place) -> Iterator[Flaw]:
    wrong = list(https_url(url, place))
    if wrong:
        yield from wrong
        return
    parts = urlsplit(url)
    host = parts.hostname if parts.port in (None, 443) else f"{parts.hostname}:{parts.port}"
    if host not in {one.lower() for one in clinic.webhook_hosts}:
        yield Flaw(place, f"{host} does not stand in webhook_hosts; only hosts of that list are spoken to")


def _party(hook: Webhook) -> str:
    return hook.payer or hook.organization or ""


def _member(hook: Webhook) -> str:
    return "payer" if hook.payer is not None else "organization"
