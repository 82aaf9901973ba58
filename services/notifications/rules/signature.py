"""The signature of a webhook, as Standard Webhooks 1.0.0 writes it."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence


def signature_headers(
    message_id: str, *, machine_seconds: int, body: bytes, secrets: Sequence[bytes]
) -> Mapping[str, str]:
    """Give the headers that name and sign a body, one signature for each secret.

    `machine_seconds` are since 1970. A repeat of a message has the same id, another time, other signatures.
    """
    signed = b"%s.%d.%s" % (message_id.encode(), machine_seconds, body)
    signatures = (hmac.new(secret, signed, hashlib.sha256).digest() for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(machine_seconds),
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(signature).decode()}" for signature in signatures
        ),
    }
