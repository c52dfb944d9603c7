// XML on its way to a library and from it: what libraries leave to their callers. `README.md` names one that is kept.

import { malformed } from "./errors.js";

/** Size of a document, in bytes: the largest body. */
const MAX_BYTES = 8 * 1024 * 1024;
/** A declaration is found within this many bytes, or not at all. */
const MAX_DECLARATION_BYTES = 256;
/** What is read as UTF-8, and as Windows-1252: the web reads ISO-8859-1 so. */
const DECLARED = [
  [/^(?:utf-?8|(?:us-)?ascii)$/i, "utf-8"],
  [/^(?:iso[-_]?8859-1|latin1|windows-1252|cp1252)$/i, "windows-1252"],
];
const MARKS = [[[0xef, 0xbb, 0xbf], "utf-8"], [[0xff, 0xfe], "utf-16le"], [[0xfe, 0xff], "utf-16be"]];

const ENCODING = /^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([^"']{1,40})["']/;
/** What may stand before the root, and then a type definition. */
const TYPE_DEFINITION = /^\s*(?:<\?(?:[^?]|\?(?!>))*\?>\s*|<!--(?:[^-]|-(?!->))*-->\s*)*<!doctype/i;
/** What XML forbids, and NUL, which the host cannot store. */
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;
const REFERENCE = /&#(?:x([\da-f]+)|(\d+));/gi;

/**
 * Reads a document: `readXml(request.body, parse)`, where `parse` is given its text and is the library's. It never sees a
 * type definition, with which entities come, and what it throws is `malformed`. UTF-8, UTF-16 with its byte order mark,
 * ISO-8859-1 and Windows-1252 are read as declared; characters that XML forbids are replaced.
 */
export function readXml(body, parse) {
  const source = decoded(body);
  if (TYPE_DEFINITION.test(source)) throw malformed("the XML has a type definition, which is not read");
  try {
    return parse(source.replace(FORBIDDEN, "\ufffd").replace(REFERENCE, character));
  } catch (error) {
    throw malformed(`not XML: ${String(error?.message).slice(0, 120)}`);
  }
}

/** XML as a library wrote it, in which no text is taken for a placeholder: before the secrets are written into it. */
export const withoutPlaceholders = (xml) => xml.replaceAll("{{", "&#123;&#123;");

function decoded(body) {
  if (!body?.length) throw malformed("the body is empty");
  if (body.length > MAX_BYTES) throw malformed(`the XML has more than ${MAX_BYTES} bytes`);
  const [, marked] = MARKS.find(([mark]) => mark.every((byte, index) => body[index] === byte)) ?? [];
  const encoding = marked ?? declared(body);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(body);
  } catch {
    throw malformed(`the XML is not ${encoding.toUpperCase()}`);
  }
}

function declared(body) {
  const start = String.fromCharCode(...body.subarray(0, MAX_DECLARATION_BYTES));
  const [, name = "utf-8"] = ENCODING.exec(start) ?? [];
  const [, encoding] = DECLARED.find(([names]) => names.test(name)) ?? [];
  if (!encoding) throw malformed(`the XML is in ${name}: only UTF-8, UTF-16, ISO-8859-1 and Windows-1252 are read`);
  return encoding;
}

/** One that does not exist, or that XML forbids, is replaced. */
function character(reference, hex, decimal) {
  const number = parseInt(hex ?? decimal, hex ? 16 : 10);
  const isOne = number <= 0x10ffff && !(number >= 0xd800 && number <= 0xdfff);
  return isOne && !String.fromCodePoint(number).match(FORBIDDEN) ? reference : "\ufffd";
}
