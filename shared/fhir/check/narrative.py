"""Narrative: the XHTML that a browser may be shown (R4 narrative.html, txt-1 and txt-2).

A real XML parser reads it, with every doctype and named entity but XML's own five refused; elements and
attributes come from the list that FHIR allows: HTML 4.0 chapters 7-11 and 15, without forms, scripts and
events.
"""

import re
from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

from shared.fhir.check.schema import words

_XHTML = "http://www.w3.org/1999/xhtml"
_ELEMENTS = words(
    "p br div h1 h2 h3 h4 h5 h6 a span b em i strong small big tt dfn q var abbr acronym cite blockquote "
    "hr address bdo kbd sub sup ul ol li dl dt dd pre table caption colgroup col thead tr tfoot tbody th "
    "td code samp img map area ins del u s strike center font"
)
_ATTRIBUTES = words(
    "title style class id lang xml:lang xml:space dir accesskey tabindex span width height align valign "
    "char charoff abbr axis headers scope rowspan colspan name href hreflang rel rev type charset shape "
    "coords nohref src alt longdesc border usemap ismap cite datetime summary frame rules cellspacing "
    "cellpadding nowrap bgcolor color face size start value compact clear noshade target space"
)
_LINKS = frozenset({"href", "src", "cite", "longdesc"})
_ACTIVE_LINK = re.compile(r"(?:javascript|vbscript|data(?!:image/(?:png|gif|jpe?g|bmp|webp)[;,]))\s*:?", re.I)
_ACTIVE_STYLE = re.compile(r"expression\s*\(|javascript:|vbscript:|@import|behavior\s*:|-moz-binding", re.I)
_HIDDEN = re.compile(r"[\x00-\x20]+")


class _Wrong(Exception):
    """What is wrong with the narrative, in a sentence."""


def wrong_narrative(value: Any) -> str | None:
    """Say in a sentence what is wrong with Narrative.div, or None."""
    if type(value) is not str:
        return "a JSON string is needed"
    reader = _Reader()
    try:
        reader.read(value)
    except _Wrong as wrong:
        return str(wrong)
    except (expat.ExpatError, UnicodeEncodeError):
        return "the narrative is not well-formed XHTML (named entities such as &nbsp; are not XML)"
    return None if reader.has_content else "the narrative has no text and no image (txt-2)"


class _Reader:
    def __init__(self) -> None:
        self.has_content = False
        self._depth = 0
        parser = expat.ParserCreate(namespace_separator=None)
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse_declaration
        parser.EntityDeclHandler = self._refuse_declaration
        parser.ProcessingInstructionHandler = self._refuse_declaration
        self._parser = parser

    def read(self, text: str) -> None:
        self._parser.Parse(text.encode(), True)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._depth == 0 and (name != "div" or attributes.get("xmlns") != _XHTML):
            raise _Wrong("the narrative is a div of the XHTML namespace")
        if name not in _ELEMENTS:
            raise _Wrong("the narrative holds an element that FHIR does not allow (txt-1)")
        for attribute, value in attributes.items():
            _check_attribute(attribute, value)
        self.has_content |= name == "img"
        self._depth += 1

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _text(self, text: str) -> None:
        self.has_content |= not text.isspace()

    def _refuse_declaration(self, *_: Any) -> None:
        raise _Wrong("the narrative declares something: no doctype, entity or processing instruction")


def _check_attribute(name: str, value: str) -> None:
    if name == "xmlns" or name.startswith("xmlns:"):
        return
    if name not in _ATTRIBUTES:
        raise _Wrong("the narrative holds an attribute that FHIR does not allow (txt-1)")
    if name in _LINKS and _ACTIVE_LINK.match(_HIDDEN.sub("", value)):
        raise _Wrong("the narrative holds a link that runs something")
    if name == "style" and _ACTIVE_STYLE.search(value):
        raise _Wrong("the narrative holds a style that runs something")
