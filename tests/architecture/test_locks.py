"""The locks hold pinned, hashed packages and nothing else: no option, no address of an index, no path."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(\[[a-z0-9,_-]+\])?==[^\s;]+( ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")
COMMENT = re.compile(r"^\s*#")


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_holds_pins_and_hashes_only(name: str) -> None:
    assert foreign_lines((ROOT / name).read_text()) == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_the_comments_of_a_lock_name_no_address_and_no_path(name: str) -> None:
    comments = [line for line in (ROOT / name).read_text().splitlines() if COMMENT.match(line)]
    assert [line for line in comments if "://" in line or re.search(r"(^|\s)/\w", line)] == []


@pytest.mark.parametrize(
    "planted",
    [
        "--find-links /srv/wheels",
        "--index-url https://packages.example/simple",
        "-i https://packages.example/simple",
        "--extra-index-url https://packages.example/simple",
        "anyio @ https://packages.example/anyio.whl",
        "anyio>=4",
        "-e .",
    ],
)
def test_a_planted_line_is_seen(planted: str) -> None:
    assert foreign_lines(f"{planted}\n") == [planted]


def test_the_development_lock_holds_every_line_of_the_other() -> None:
    pins = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if PINNED.match(line)]
    development = set((ROOT / "requirements-dev.lock").read_text().splitlines())
    assert [line for line in pins if line not in development] == []


def foreign_lines(text: str) -> list[str]:
    """Give every line that is neither a pin, a hash nor a comment."""
    lines = [line for line in text.splitlines() if line.strip()]
    return [line for line in lines if not (PINNED.match(line) or HASH.match(line) or COMMENT.match(line))]
