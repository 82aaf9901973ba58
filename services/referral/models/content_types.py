"""Which forms an attachment may have, and whether its bytes are what it says.

The list is closed: documents and images of clinics, and nothing that runs where it is opened (HTML, SVG,
scripts). What the bytes say are the signatures that each form's own standard fixes.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

# As much of the beginning as any form needs: DICOM has its mark at 128, CDA its root behind comments.
HEAD = 8192
# What no text holds: control characters but tab, line feed, form feed and carriage return.
_CONTROL = bytes({*range(32), 127} - {9, 10, 12, 13})
# What may stand before the first element; possessive, so that nobody's comments cost more than their length.
_BEFORE = rb"(?:\xef\xbb\xbf)?(?:<\?[^>]*\?>|<!--(?:(?!-->).)*+-->|\s++)*+"
_CDA = re.compile(_BEFORE + rb"<(?:[A-Za-z_][\w.-]*:)?ClinicalDocument[\s>/]", re.DOTALL)
_MARKUP = re.compile(_BEFORE + rb"<[!?/A-Za-z]", re.DOTALL)
_CHARSET = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentType:
    """One form: its name, what else it is called, how its files end, and what its bytes begin with."""

    name: str
    extension: str
    begins: Callable[[bytes], bool]
    others: tuple[str, ...] = ()
    is_text: bool = False

    def fits(self, head: bytes) -> bool:
        """Tell whether the beginning is that of this form; `head` has HEAD bytes, or all there are."""
        return self.begins(head)

    def goes_on(self, piece: bytes) -> bool:
        """Tell whether further bytes may belong to this form: a text holds no control characters."""
        return not self.is_text or len(piece.translate(None, _CONTROL)) == len(piece)


def _any_of(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(marks)


def _is_pdf(head: bytes) -> bool:
    # Readers find the mark anywhere in the first 1,024 bytes, and some scanners write something before it.
    return b"%PDF-" in head[:1024] and not _MARKUP.match(head)


def _is_plain(head: bytes) -> bool:
    marked = (other.begins(head) for other in CONTENT_TYPES if other.name != "text/plain")
    return not any(marked) and _MARKUP.match(head) is None


def _is_cda(head: bytes) -> bool:
    return _CDA.match(head) is not None and b"<!DOCTYPE" not in head.upper()


CONTENT_TYPES: tuple[ContentType, ...] = (
    ContentType(name="application/pdf", extension="pdf", begins=_is_pdf, others=("application/x-pdf",)),
    ContentType(name="image/jpeg", extension="jpg", begins=_any_of(b"\xff\xd8\xff"), others=("image/jpg",)),
    ContentType(name="image/png", extension="png", begins=_any_of(b"\x89PNG\r\n\x1a\n")),
    ContentType(
        name="image/tiff",
        extension="tiff",
        begins=_any_of(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        others=("image/tif",),
    ),
    ContentType(name="application/dicom", extension="dcm", begins=lambda head: head[128:132] == b"DICM"),
    ContentType(
        name="application/rtf", extension="rtf", begins=_any_of(b"{\\rtf"), others=("text/rtf",), is_text=True
    ),
    ContentType(
        name="text/xml",
        extension="xml",
        begins=_is_cda,
        others=("application/xml", "application/hl7-cda+xml"),
        is_text=True,
    ),
    ContentType(name="text/plain", extension="txt", begins=_is_plain, is_text=True),
)
_BY_NAME = {name: kind for kind in CONTENT_TYPES for name in (kind.name, *kind.others)}
_ALLOWED = ", ".join(kind.name for kind in CONTENT_TYPES)


def not_kept(text: str) -> str:
    """Say that a content type is not kept, and which are."""
    return f"{text[:64] or 'what has no content type'} is not kept; allowed are {_ALLOWED}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What a sender calls the form of what it sends, and the encoding of a text where it names it."""

    kind: ContentType
    charset: str | None = None

    def __str__(self) -> str:
        return self.kind.name if self.charset is None else f"{self.kind.name}; charset={self.charset}"


def stated(text: str) -> Stated | None:
    """Read a content type; None for one that is not on the list."""
    name, *parameters = (part.strip() for part in text.split(";"))
    kind = _BY_NAME.get(name.lower())
    if kind is None:
        return None
    return Stated(kind=kind, charset=_charset(parameters) if kind.is_text else None)


def is_same(one: str, other: str) -> bool:
    """Tell whether two content types name one form, whatever they say of the encoding."""
    known, named = stated(one), stated(other)
    return known is not None and named is not None and known.kind is named.kind


def _charset(parameters: Iterable[str]) -> str | None:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and _CHARSET.match(value := value.strip().strip('"')):
            return value.lower()
    return None
