"""What a text may be by which rows are found: an identifier, a token, a key; the same at every edge.

An entry of an index holds 2,704 bytes, a third of a page, and a longer one is an error of the database. Two
texts of 255 characters, four bytes each, and the id of their sender fit. A test goes over every index that
a caller can fill.
"""

import re

LONGEST = 255

# PostgreSQL takes no NUL, and no encoding takes half of a surrogate pair.
_NOT_KEPT = re.compile(r"[\x00-\x1f\ud800-\udfff]")


def too_long(text: str) -> str | None:
    """Say in a sentence that a text is longer than an index takes, or None."""
    if len(text) <= LONGEST:
        return None
    return f"this has {len(text)} characters; at most {LONGEST} are allowed"


def wrong(text: str) -> str | None:
    """Say in a sentence what keeps a text from an index, or None; the sentence does not repeat it."""
    if not text:
        return f"this is empty; 1 to {LONGEST} characters are allowed"
    if _NOT_KEPT.search(text):
        return "this holds a character that cannot be kept"
    return too_long(text)
