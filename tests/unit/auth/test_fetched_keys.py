"""Keys of an issuer elsewhere: kept, read again for an unknown id, at most every 30 seconds."""

import asyncio

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from shared.auth import jwks
from shared.auth.jwks import FetchedJwks, keys_of_issuer
from shared.auth.keys import SigningKey
from shared.errors import Unavailable


class Issuer:
    def __init__(self) -> None:
        self.keys = [SigningKey.of(ec.generate_private_key(ec.SECP384R1()))]
        self.asked = 0
        self.up = True

    def answer(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        if not self.up:
            return httpx.Response(500)
        return httpx.Response(200, json={"keys": [dict(key.jwk) for key in self.keys]})

    def jwks(self) -> FetchedJwks:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        return FetchedJwks(keys_of_issuer("http://issuer.test/jwks", http=http))


class TestFetchedKeys:
    async def test_are_asked_for_once(self) -> None:
        issuer = Issuer()
        keys = issuer.jwks()
        for _ in range(3):
            assert await keys.key(issuer.keys[0].kid) is not None
        assert issuer.asked == 1

    async def test_asked_for_by_many_at_once_are_found_by_all(self) -> None:
        issuer = Issuer()
        keys = issuer.jwks()
        found = await asyncio.gather(*(keys.key(issuer.keys[0].kid) for _ in range(5)))
        assert None not in found
        assert issuer.asked == 1

    async def test_are_not_asked_for_again_by_made_up_ids(self) -> None:
        issuer = Issuer()
        keys = issuer.jwks()
        for number in range(5):
            assert await keys.key(f"made-up-{number}") is None
        assert issuer.asked == 1

    async def test_a_new_key_is_found_after_half_a_minute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        issuer = Issuer()
        keys = issuer.jwks()
        now = 1000.0
        monkeypatch.setattr(jwks, "monotonic", lambda: now)
        await keys.key(issuer.keys[0].kid)
        issuer.keys.append(SigningKey.of(ec.generate_private_key(ec.SECP384R1())))
        assert await keys.key(issuer.keys[1].kid) is None
        now += 31
        assert await keys.key(issuer.keys[1].kid) is not None

    async def test_that_cannot_be_had_are_unavailable_not_a_refusal(self) -> None:
        issuer = Issuer()
        issuer.up = False
        with pytest.raises(Unavailable):
            await issuer.jwks().key("any")
