"""An authorization server with its clients' keys, for tests of tokens."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from shared.auth.assertion import token_request
from shared.auth.issuer import Issuer
from shared.auth.keys import Keys, SigningKey, load_client_key
from shared.auth.verifier import JwtVerifier
from shared.clinic import Clinic
from shared.clock import machine_now
from shared.db import Database

BASE = "http://clinic.test"
TOKEN_URL = f"{BASE}/auth/token"
NOBODY = SigningKey.of(ec.generate_private_key(ec.SECP384R1()))


@dataclass
class Identity:
    issuer: Issuer
    http: httpx.AsyncClient
    verifier: JwtVerifier
    clinic: Clinic
    keys: Keys
    folder: Path
    database: Database

    def key_of(self, client: str) -> SigningKey:
        return load_client_key(self.folder, client)

    async def ask(self, assertion: str, *, scope: str | None = None) -> httpx.Response:
        return await self.http.post(TOKEN_URL, data=token_request(assertion, scope=scope))

    def signed(self, **changed: Any) -> str:
        """Sign an access token like the issuer's own, with claims changed or (None) left out."""
        now = machine_now()
        claims = {
            "iss": BASE,
            "aud": BASE,
            "sub": "family-practice",
            "client_id": "family-practice",
            "scope": "system/Task.rs",
            "exp": now + timedelta(minutes=5),
            **changed,
        }
        key = self.keys.issuer
        present = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(present, key.private, algorithm="RS384", headers={"kid": key.kid})
