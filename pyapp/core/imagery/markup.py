"""XML from a server one does not know, as plain elements; nothing in it is fetched or expanded.

``pyexpat`` is part of the Python in Pyodide, whereas the package ``xml`` is left out of the page. A
DOCTYPE is passed over (each WMS 1.1.1 has one), but whatever declares an entity is refused: those
are what makes XML dangerous.
"""

from __future__ import annotations

import pyexpat
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_BYTES = 32 << 20
MOST_ELEMENTS = 500_000
DEEPEST = 100
# Characters of a complaint that are shown.
MOST_SAID = 300
_HTML = (b"<!doctype html", b"<html")


class MarkupError(ValueError):
    """The bytes are no XML that may be read; the message is the reason, as a part of a sentence."""


@dataclass
class Element:
    """An element, without prefixes of namespaces.

    Attributes
    ----------
    name : str
    attributes : dict of str to str
    text : str
        All text directly in it.
    children : list of Element
    """

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, *path: str) -> Iterator[Element]:
        """Every element that a path of names leads to."""
        first, *rest = path
        for child in self.children:
            if child.name == first:
                if rest:
                    yield from child.all(*rest)
                else:
                    yield child

    def first(self, *path: str) -> Element | None:
        """The first element that a path of names leads to; ``None`` if there is none."""
        return next(self.all(*path), None)

    def said(self, *path: str) -> str:
        """The text at the end of a path, in one line; empty if there is none."""
        found = self.first(*path)
        return "" if found is None else " ".join(found.text.split())


class MarkupReader:
    """Reads XML piece by piece, so that a large one does not hold up the page."""

    def __init__(self) -> None:
        self._root = Element("")
        self._open = [self._root]
        self._count = 0
        parser = self._parser = pyexpat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._say
        parser.EntityDeclHandler = self._refuse
        parser.SetParamEntityParsing(pyexpat.XML_PARAM_ENTITY_PARSING_NEVER)

    def feed(self, data: bytes, last: bool = False) -> None:
        """Take the next piece.

        Raises
        ------
        MarkupError
        """
        try:
            self._parser.Parse(data, last)
        except (pyexpat.ExpatError, LookupError) as error:
            raise MarkupError(f"it is no XML ({error})") from error

    def root(self) -> Element:
        """The outermost element, once all was fed."""
        return self._root.children[0]

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._open) > DEEPEST:
            raise MarkupError("it has too many parts")
        own = {_local(key): value for key, value in attributes.items()}
        element = Element(_local(name), own)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _say(self, text: str) -> None:
        self._open[-1].text += text

    def _refuse(self, *_declared: object) -> None:
        raise MarkupError("it declares entities, which are not read")


def read(data: bytes) -> Element:
    """The outermost element of XML.

    Raises
    ------
    MarkupError
        If it is none, or one that may not be read.

    Examples
    --------
    >>> read(b'<?xml version="1.0"?><w:a xmlns:w="urn:w"><w:b>1 \\n 2</w:b></w:a>').said("b")
    '1 2'
    """
    if len(data) > MOST_BYTES:
        raise MarkupError("it is too long")
    reader = MarkupReader()
    reader.feed(data, True)
    return reader.root()


def is_html(data: bytes) -> bool:
    """Whether bytes are a web page.

    >>> is_html(b"\\n<!DOCTYPE html><title>Sign in</title>"), is_html(b"<WMS_Capabilities/>")
    (True, False)
    """
    return data.lstrip(b"\xef\xbb\xbf \t\r\n")[:20].lower().startswith(_HTML)


def is_xml(data: bytes) -> bool:
    """Whether bytes look like XML or HTML rather than a picture.

    >>> is_xml(b"<?xml version='1.0'?><ServiceExceptionReport/>"), is_xml(b"\\x89PNG")
    (True, False)
    """
    return data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


def complaint_in(root: Element) -> str:
    """What a map service says is wrong; empty if it is no report of that.

    WMS: OGC 06-042, annex E; WMTS: OGC 06-121r3, 8.
    """
    if root.name not in ("ServiceExceptionReport", "ExceptionReport"):
        return ""
    codes = [each.attributes.get("code") or each.attributes.get("exceptionCode", "")
             for each in root.children]  # fmt: skip
    said = root.said("ServiceException") or root.said("Exception", "ExceptionText")
    said = said or "".join(codes[:1]) or "no reason given"
    return said if len(said) <= MOST_SAID else said[: MOST_SAID - 1] + "…"


def complaint(data: bytes) -> str:
    """The same for bytes; empty if they are something else.

    >>> complaint(b"<ServiceExceptionReport><ServiceException code='LayerNotDefined'/>"
    ...           b"</ServiceExceptionReport>")
    'LayerNotDefined'
    """
    try:
        return complaint_in(read(data)) if is_xml(data) else ""
    except MarkupError:
        return ""


def _local(name: str) -> str:
    return name.rpartition(":")[2]
