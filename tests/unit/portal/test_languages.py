"""Nothing on a page stays English in French: every text of templates and tables has its French."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from services.portal.languages import FRENCH, load_languages

PORTAL = Path(__file__).parents[3] / "services" / "portal"
_METHODS = [("**.py", "python"), ("**.html", "jinja2.ext.babel_extract")]
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
_PLACE = re.compile(r"%\((\w+)\)s")


def texts() -> dict[str, str]:
    """Find every text that is to be translated, and where it stands."""
    options = {"**.html": {"trimmed": "true"}}
    found = extract_from_dir(PORTAL, method_map=_METHODS, options_map=options, keywords=_KEYWORDS)
    return {
        message if isinstance(message, str) else message[0]: f"{file}:{line}"
        for file, line, message, _, _ in found
    }


def french() -> Iterator[tuple[Path, Message]]:
    for path in sorted((PORTAL / "locale" / "fr").glob("*.po")):
        with path.open("rb") as written:
            yield from ((path, message) for message in read_po(written) if message.id)


def test_every_text_has_its_french() -> None:
    known = {
        message.id if isinstance(message.id, str) else message.id[0]
        for _, message in french()
        if message.string
    }
    found = texts()
    assert len(found) > 100, "the texts are not where they were"
    missing = {text: place for text, place in found.items() if text and text not in known}
    assert missing == {}


def test_a_translation_says_the_same_arguments() -> None:
    wrong = [
        message.id
        for _, message in french()
        for said in ([message.string] if isinstance(message.string, str) else message.string)
        if set(_PLACE.findall(str(said))) != set(_PLACE.findall(str(message.id)))
    ]
    assert wrong == []


@pytest.mark.parametrize("number", [0, 1, 2, 8, 100, 1_000_000])
def test_every_text_with_a_number_is_french_whatever_the_number(number: int) -> None:
    catalogue = load_languages()[FRENCH].catalogue
    plurals = [message for _, message in french() if not isinstance(message.id, str)]
    assert len(plurals) > 5
    english = [
        message.id for message in plurals if catalogue.ngettext(*message.id, number) not in message.string
    ]
    assert english == []


def test_no_sign_of_a_french_text_can_stand_alone_at_the_start_of_a_line() -> None:
    alone = re.compile(r" [?:;!»]|« ")
    assert [text for _, message in french() for text in _texts(message) if alone.search(text)] == []


def _texts(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def test_no_text_is_translated_twice() -> None:
    seen: dict[object, Path] = {}
    twice = []
    for path, message in french():
        key = str(message.id)
        if seen.setdefault(key, path) != path:
            twice.append(key)
    assert twice == []


@pytest.mark.parametrize("text", ["Sign out", "My referrals"])
def test_french_is_not_english(text: str) -> None:
    assert load_languages()[FRENCH].say(text) != text
