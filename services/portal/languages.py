"""The languages of the pages, English and French, and which of them a reader wants."""

from collections.abc import Mapping
from dataclasses import dataclass
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

ENGLISH, FRENCH = "en", "fr"
CODES = (ENGLISH, FRENCH)
# The days and numbers of Canada, in both its languages.
_LOCALES = {ENGLISH: "en_CA", FRENCH: "fr_CA"}
_CATALOGUES = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its code, the locale of its numbers and days, and its catalogue."""

    code: str
    locale: Locale
    catalogue: NullTranslations

    def say(self, text: str) -> str:
        """Translate a text of the portal; one that the catalogue lacks stays English."""
        return self.catalogue.gettext(text) if text else text


Languages = Mapping[str, Language]


def load_languages() -> Languages:
    """Load the catalogues; English needs none, because texts are written in it."""
    return {code: Language(code, Locale.parse(_LOCALES[code]), _catalogue(code)) for code in CODES}


def chosen(languages: Languages, *, cookie: str | None, accepted: str) -> Language:
    """Choose the language that was picked, else the first one that the browser asks for, else English."""
    if cookie in languages:
        return languages[str(cookie)]
    for part in accepted.split(","):
        code = part.split(";")[0].strip().lower()[:2]
        if code in languages:
            return languages[code]
    return languages[ENGLISH]


def _catalogue(code: str) -> NullTranslations:
    """Read the catalogues of a language, one file for each part of the pages, as one.

    How many plurals a language has its files say: Babel's own count of a locale may be another one, with
    forms that no file has.
    """
    whole = Catalog(locale=code)
    for path in sorted((_CATALOGUES / code).glob("*.po")):
        with path.open("rb") as written:
            part = read_po(written, locale=code)
        whole.mime_headers = part.mime_headers
        for message in part:
            if message.id:
                whole[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return Translations(compiled)
