import assert from "node:assert/strict";
import { test } from "node:test";

import { readXml, withoutPlaceholders } from "./index.js";

const bytes = (text) => new TextEncoder().encode(text);
const latin = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const utf16 = (text, isLittle) => {
  const view = new DataView(new ArrayBuffer(2 * text.length));
  [...text].forEach((character, index) => view.setUint16(2 * index, character.charCodeAt(0), isLittle));
  return new Uint8Array(view.buffer);
};
const same = (text) => text;
const malformed = (body, expected, parse = same) =>
  assert.throws(() => readXml(body, parse), ({ payload }) => payload?.tag === "malformed" && expected.test(payload.val));

test("a document is read in the encoding that it has", () => {
  const text = "<a>Zoë €</a>";
  for (const body of [bytes(text), bytes(`\ufeff${text}`), utf16(`\ufeff${text}`, true), utf16(`\ufeff${text}`, false)]) {
    assert.equal(readXml(body, same), text);
  }
  for (const name of ["ISO-8859-1", "windows-1252", "Latin1"]) {
    // Of the bytes from 80 to 9f Node.js before 24 makes controls; the component's engine knows better.
    const document = `<?xml version="1.0" encoding="${name}"?><a>Zo\xeb</a>`;
    assert.equal(readXml(latin(document), same), document);
  }
  malformed(latin("<a>Zo\xeb</a>"), /not UTF-8/);
  malformed(bytes("<?xml version='1.0' encoding='Shift_JIS'?><a/>"), /Shift_JIS/);
  malformed(Uint8Array.of(0xff, 0xfe, 0x3c), /not UTF-16LE/);
  malformed(new Uint8Array(), /empty/);
  malformed(undefined, /empty/);
  malformed(new Uint8Array(8 * 1024 * 1024 + 1).fill(0x20), /more than 8388608 bytes/);
});

test("no library sees a type definition", () => {
  for (const document of [
    "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
    "<?xml version='1.0'?>\n<!-- - -- > --><?p i?>\n<!DOCTYPE a SYSTEM 'https://evil.example.org/'><a/>",
    "<!doctype html><html/>",
  ]) {
    malformed(bytes(document), /type definition/, () => assert.fail("it is parsed"));
  }
  const quoted = "<!-- <!DOCTYPE a> --><a><![CDATA[<!DOCTYPE b>]]></a>";
  assert.equal(readXml(bytes(quoted), same), quoted);
  malformed(bytes(`${"<?a?>".repeat(100_000)}<a/>`), /not XML: x/, () => { throw new Error("x"); });
});

test("characters that nobody can store are replaced", () => {
  const said = "<a b='&#0;'>\0\x07&#x1F;&#xD83D;&#1114112;&#xFFFF;&#65;&#x1F600;&amp;\t\n</a>";
  const read = "<a b='\ufffd'>\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd&#65;&#x1F600;&amp;\t\n</a>";
  assert.equal(readXml(bytes(said), same), read);
});

test("what a library throws is malformed, and no text is a placeholder", () => {
  malformed(bytes("<a>"), /^not XML: cut off$/, () => { throw new TypeError("cut off"); });
  assert.equal(withoutPlaceholders("<a b='{{x.y}}'>{{{ }}</a>"), "<a b='&#123;&#123;x.y}}'>&#123;&#123;{ }}</a>");
});
