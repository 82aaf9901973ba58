"""Reading the live feed as a coordinator does: when did which event of which referral arrive?"""

import asyncio
import json
import time

_HEAD = "GET /notifications/feed HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\r\n"

Seen = dict[str, dict[str, float]]


async def follow(port: int, token: str, *, seen: Seen, caught_up: asyncio.Event) -> None:
    """Note for each referral when its events arrived (monotonic seconds), until cancelled.

    `caught_up` is set when everything older has been sent.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(_HEAD.format(token=token).encode())
    try:
        while line := await reader.readline():
            if line.startswith(b"data: "):
                _note(line[6:], seen)
            elif line.startswith(b": now"):
                caught_up.set()
    finally:
        writer.close()


def _note(data: bytes, seen: Seen) -> None:
    entry = json.loads(data)
    if entry.get("referral"):
        seen.setdefault(entry["referral"], {}).setdefault(entry["type"], time.monotonic())
