/** XML: text as it may stand in a document, and parsing with one clear error. */
import { SaxesParser } from 'saxes';
import { badFile } from './check.ts';
import { textPieces } from './lines.ts';

/** What is no `Char` of XML 1.0: it cannot stand in a document, not even escaped. */
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Text for an element or an attribute in double quotes. */
export function xmlText(text: string): string {
  return text
    .replace(NOT_XML, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/[\t\n\r]|^ | $/g, (blank) => `&#${blank.charCodeAt(0)};`);
}

/** A parser that fails with the line of a fault. */
export function xmlParser(name: string): SaxesParser {
  return failing(new SaxesParser(), name);
}

/** Fails with `BAD_FILE` where the document is not whole. */
export async function checkXml(path: string, name: string): Promise<void> {
  const parser = xmlParser(name);
  for await (const piece of textPieces(path, name)) parser.write(piece);
  parser.close();
}

/** {@link xmlParser} with names resolved to their namespaces. */
export function xmlNamespaceParser(name: string): SaxesParser<{ xmlns: true }> {
  return failing(new SaxesParser({ xmlns: true }), name);
}

function failing<P extends Pick<SaxesParser, 'on' | 'line'>>(parser: P, name: string): P {
  parser.on('error', (error) => {
    const what = error.message.replace(/^\d+:\d+: /, '');
    throw badFile(`${name}:${parser.line}`, `not valid XML: ${what}`, undefined, error);
  });
  return parser;
}
