"""Texts that no index, no column or no encoding takes, for property tests: long, mixed, invisible, broken."""

import json
import random
import string
from typing import Any

import httpx
from hypothesis import strategies as st

_INCOMPRESSIBLE = string.ascii_letters + string.digits + "-_"
_MARKS = "\u200e\u200f\u202a\u202b\u202e\u2066\u2069\u061c\ufeff\u00ad"
_WIDE = "\U0001f9d1\u200d\u2695\ufe0f\U00020000\u05d0\u0e01\u0301"


def _random(of: str, seed: int, length: int) -> str:
    return "".join(random.Random(seed).choices(of, k=length))


def _mixed(text: str, strange: str, place: int) -> str:
    return text[:place] + strange + text[place:]


_LENGTHS = st.sampled_from([1, 40, 255, 256, 700, 2_700, 9_000])
_SEEDS = st.integers(0, 2**32)
_LONG = st.builds(_random, st.sampled_from([_INCOMPRESSIBLE, _WIDE, _MARKS]), _SEEDS, _LENGTHS)
_STRANGE = st.sampled_from(
    ["\x00", "\x1f", "\x7f", "\ud800", "\udfff\ud83d", "\u2028", "|", "%00", "'", "\\"]
)
TEXTS = st.one_of(
    _LONG,
    st.builds(_mixed, _LONG, _STRANGE, st.integers(0, 300)),
    st.text(alphabet=st.characters(exclude_categories=()), max_size=300),
)


def encoded(body: Any) -> bytes:
    """Write a body as JSON whose text may hold lone surrogates: only escapes can."""
    return json.dumps(body).encode()


def refused_by_name(answer: httpx.Response, *members: str) -> bool:
    """Tell whether an answer refuses a text and names it; a body that is no Unicode has no element to name.

    `members` are the last steps of the FHIRPath, or the parameter or header.
    """
    if answer.status_code not in (400, 422):
        return False
    issues = answer.json()["issue"]
    if answer.status_code == 400 and all(issue["code"] == "structure" for issue in issues):
        return "JSON" in issues[0]["details"]["text"] or "UTF-8" in issues[0]["details"]["text"]
    named = [path for issue in issues for path in issue.get("expression", ())]
    return any(path.endswith(members) for path in named)
