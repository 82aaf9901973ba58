"""What a letter or a text to a patient says: that there is a message, and where it is read. Nothing else.

Neither names a day, a place, a person or anything clinical: what it is about stands behind the link, which
asks for the birth date before it shows anything.
"""

from collections.abc import Mapping

from services.notifications import texts, texts_fr

# The words of messages to patients, by language.
WORDS: Mapping[str, Mapping[str, str]] = {"en": texts.TO_PATIENTS, "fr": texts_fr.TO_PATIENTS}


def address_of(secret: str, *, language: str, base_url: str) -> str:
    """Give the address of the page behind a link, which opens in the language of its message."""
    return f"{base_url}/m/{secret}?lang={language}"


def subject(language: str) -> str:
    """Give the subject of a letter."""
    return WORDS[language]["subject"]


def body(language: str, *, secret: str, base_url: str) -> str:
    """Write the letter of a message."""
    words = WORDS[language]
    address = address_of(secret, language=language, base_url=base_url)
    lines = (words["subject"], "", words["open"], address, "", words["nothing"])
    return "\n".join(lines) + "\n"


def text_message(language: str, *, secret: str, base_url: str) -> str:
    """Write the text of a message, for a telephone."""
    return f"{WORDS[language]['text']} {address_of(secret, language=language, base_url=base_url)}"
