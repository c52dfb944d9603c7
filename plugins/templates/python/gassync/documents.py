"""XML by Python's own library, with what it leaves to its callers: type definitions, depth, encodings, and braces."""

import re
from xml.etree import ElementTree

from .errors import Malformed

# Size of a document, in bytes: the largest body.
_MAX_BYTES = 8 * 1024 * 1024
# Elements inside each other. A deeper document would exhaust the component's stack when it is forgotten.
_MAX_DEPTH = 64
# Elements in all.
_MAX_ELEMENTS = 100_000
# A declaration is found within this many bytes, or not at all.
_MAX_DECLARATION_BYTES = 256

# What is read as UTF-8, and as Windows-1252: the web reads ISO-8859-1 so.
_UTF_8 = ("utf-8", "utf8", "us-ascii", "ascii")
_WINDOWS_1252 = ("iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "windows-1252", "cp1252")
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))

_ENCODING = re.compile(rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([^"']{1,40})["']""")
# What XML forbids, and NUL, which the host cannot store.
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE = re.compile("&#(?:x([0-9a-fA-F]+)|([0-9]+));")


def read_xml(body):
    """A body as an `Element` of `xml.etree.ElementTree`. What is no XML is `Malformed`, and so is a type definition: with
    it entities come. UTF-8, UTF-16 with its byte order mark, ISO-8859-1 and Windows-1252 are read as declared; characters
    that XML forbids are replaced.
    """
    parser = ElementTree.XMLParser(target=_Tree())
    try:
        parser.feed(_REFERENCE.sub(_character, _FORBIDDEN.sub("\ufffd", _decoded(body))))
        return parser.close()
    except ElementTree.ParseError as error:
        raise Malformed(f"not XML: {error}") from None


def write_xml(root):
    """An `Element` as a document in UTF-8, in which no text is taken for a placeholder: before the secrets are written
    into it. What XML forbids is replaced.
    """
    text = _FORBIDDEN.sub("\ufffd", ElementTree.tostring(root, encoding="unicode")).replace("{{", "&#123;&#123;")
    return f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()


class _Tree(ElementTree.TreeBuilder):
    def __init__(self):
        super().__init__()
        self.depth = self.elements = 0

    def start(self, tag, attributes):
        self.depth += 1
        self.elements += 1
        if self.depth > _MAX_DEPTH:
            raise Malformed(f"the XML is more than {_MAX_DEPTH} elements deep")
        if self.elements > _MAX_ELEMENTS:
            raise Malformed(f"the XML has more than {_MAX_ELEMENTS} elements")
        return super().start(tag, attributes)

    def end(self, tag):
        self.depth -= 1
        return super().end(tag)

    def doctype(self, name, public, system):
        raise Malformed("the XML has a type definition, which is not read")


def _decoded(body):
    body = bytes(body or b"")
    if not body:
        raise Malformed("the body is empty")
    if len(body) > _MAX_BYTES:
        raise Malformed(f"the XML has more than {_MAX_BYTES} bytes")
    mark, encoding = next((known for known in _MARKS if body.startswith(known[0])), (b"", None))
    encoding = encoding or _declared(body)
    try:
        # Windows-1252 has five bytes without a character.
        return body[len(mark) :].decode(encoding, "replace" if encoding == "cp1252" else "strict")
    except UnicodeDecodeError:
        raise Malformed(f"the XML is not {encoding.upper()}") from None


def _declared(body):
    said = _ENCODING.match(body[:_MAX_DECLARATION_BYTES])
    name = said[1].decode("ascii", "replace").lower() if said else "utf-8"
    if name in _UTF_8:
        return "utf-8"
    if name in _WINDOWS_1252:
        return "cp1252"
    raise Malformed(f"the XML is in {name}: only UTF-8, UTF-16, ISO-8859-1 and Windows-1252 are read")


def _character(reference):
    """One that does not exist, or that XML forbids, is replaced."""
    digits = (reference[1] or reference[2]).lstrip("0") or "0"
    number = int(digits, 16 if reference[1] else 10) if len(digits) < 8 else 0
    is_one = number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    return reference[0] if is_one and not _FORBIDDEN.match(chr(number)) else "\ufffd"
