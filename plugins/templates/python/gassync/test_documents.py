import unittest
from xml.etree.ElementTree import Element, SubElement

import gassync as g


class DocumentsTest(unittest.TestCase):
    def assert_malformed(self, body, expected=""):
        with self.assertRaisesRegex(g.Malformed, expected, msg=body[:60]):
            g.read_xml(body)

    def test_a_document_is_read_in_the_encoding_that_it_has(self):
        text = "<a>Zoë €</a>"
        for body in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16"), b"\xfe\xff" + text.encode("utf-16-be")):
            self.assertEqual(g.read_xml(body).text, "Zoë €")
        for name in ("ISO-8859-1", "windows-1252", "Latin1"):
            body = f'<?xml version="1.0" encoding="{name}"?>{text}'.encode("cp1252")
            self.assertEqual(g.read_xml(body).text, "Zoë €")
        declared = "\ufeff<?xml version='1.0' encoding='UTF-16'?><a>Zoë</a>".encode("utf-16-le")
        self.assertEqual(g.read_xml(declared).text, "Zoë")
        self.assert_malformed(b"<a>Zo\xeb</a>", "not UTF-8")
        self.assert_malformed(b"<?xml version='1.0' encoding='Shift_JIS'?><a/>", "shift_jis")
        self.assert_malformed(b"\xff\xfe<", "not UTF-16")
        self.assert_malformed(b"", "empty")
        self.assert_malformed(b" " * (8 * 1024 * 1024 + 1), "more than 8388608 bytes")

    def test_nothing_expands_and_nothing_is_loaded(self):
        laughs = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
        for document in (
            f"<!DOCTYPE a [<!ENTITY l0 'ha'>{laughs}]><a>&l9;</a>",
            "<!DOCTYPE a SYSTEM 'https://evil.example.org/a.dtd'><a/>",
            "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        ):
            self.assert_malformed(document.encode(), "type definition")
        self.assert_malformed(b"<a>&own;</a>", "not XML")
        self.assertEqual(g.read_xml(b"<a>&lt;&#65;<![CDATA[<!DOCTYPE b>]]></a>").text, "<A<!DOCTYPE b>")

    def test_hostile_documents_end_early(self):
        self.assert_malformed(b"<a>" * 10_000 + b"</a>" * 10_000, "more than 64 elements deep")
        self.assert_malformed(b"<a>" + b"<b/>" * 100_000 + b"</a>", "more than 100000 elements")
        for document in (b"<a>", b"<a></b>", b"<a/><b/>", b"no XML", b"{}", b"<x:a/>", b"<a b='1' b='2'/>", b"<a>&#;</a>"):
            self.assert_malformed(document, "not XML")

    def test_characters_that_nobody_can_store_are_replaced(self):
        root = g.read_xml("<a b='&#0;'>\0\x07&#x1F;&#xD83D;&#1114112;&#99999999999;&#65;\t</a>".encode())
        self.assertEqual((root.get("b"), root.text), ("\ufffd", "\ufffd" * 6 + "A\t"))

    def test_what_is_written_is_read_back_and_is_no_placeholder(self):
        hostile = "<>&\"' {{x.y}} {{{ é"
        root = Element("a", b=hostile)
        SubElement(root, "{urn:c}d").text = hostile + "\x07"
        written = g.write_xml(root)
        self.assertNotIn(b"{{", written)
        read = g.read_xml(written)
        self.assertEqual((read.get("b"), read[0].tag, read[0].text), (hostile, "{urn:c}d", hostile + "\ufffd"))
