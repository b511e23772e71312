/**
 * One XMP sidecar: the keywords in it, and the same text with more keywords. All else of a sidecar (ratings, edits,
 * whatever a tool put there) stays byte for byte, since keywords are put in between and nothing is written anew.
 *
 * Keywords stand in `dc:subject`, and with the classes above them in `lr:hierarchicalSubject` as `vehicle|car` (XMP
 * Specification Part 1, ISO 16684-1: an unordered array is an `rdf:Bag` of `rdf:li`; a property stands once).
 */
import { badFile } from '../check.ts';
import { xmlNamespaceParser, xmlText } from '../xml.ts';

const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
const PROPERTIES = {
  subject: { uri: 'http://purl.org/dc/elements/1.1/', name: 'dc:subject' },
  hierarchicalSubject: { uri: 'http://ns.adobe.com/lightroom/1.0/', name: 'lr:hierarchicalSubject' },
} as const;
type Property = keyof typeof PROPERTIES;

export interface Keywords {
  readonly subject: readonly string[];
  /** Paths from the top, `|` between the classes. */
  readonly hierarchicalSubject: readonly string[];
}

/** How text gets in between: before the closing tag, or, where the tag closes itself, by opening it. */
interface Gap {
  readonly at: number;
  /** The name as written of a tag that closes itself; its `/>` ends at `at`. */
  readonly selfClosing: string | null;
}

interface Found {
  readonly values: Record<Property, string[]>;
  /** In the bag of each property that is there. */
  readonly bags: Partial<Record<Property, Gap & { readonly prefix: string }>>;
  /** In a property without a bag. */
  readonly bare: Partial<Record<Property, Gap>>;
  /** In the first description. */
  description: (Gap & { readonly prefix: string }) | null;
}

export function keywordsIn(text: string, name: string): Keywords {
  return scan(text, name).values;
}

/** A sidecar with these keywords and nothing else. */
export function newSidecar(keywords: Keywords, version: string): string {
  const empty =
    '<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>\n' +
    `<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Labelsmith ${xmlText(version)}">\n` +
    ` <rdf:RDF xmlns:rdf="${RDF}">\n  <rdf:Description rdf:about="">\n  </rdf:Description>\n </rdf:RDF>\n` +
    '</x:xmpmeta>\n<?xpacket end="w"?>\n';
  return withKeywords(empty, keywords, 'a new sidecar');
}

/** The text with the keywords that it does not have yet. */
export function withKeywords(text: string, keywords: Keywords, name: string): string {
  const found = scan(text, name);
  const edits: { gap: Gap; insert: string }[] = [];
  let properties = '';
  for (const property of Object.keys(PROPERTIES) as Property[]) {
    const missing = keywords[property].filter((keyword) => !found.values[property].includes(keyword));
    if (missing.length === 0) continue;
    const bag = found.bags[property];
    const prefix = bag?.prefix ?? found.description?.prefix ?? '';
    const items = missing.map((keyword) => `<${prefix}li>${xmlText(keyword)}</${prefix}li>`).join('');
    const bare = found.bare[property];
    if (bag !== undefined) edits.push({ gap: bag, insert: items });
    else if (bare !== undefined) edits.push({ gap: bare, insert: `<${prefix}Bag>${items}</${prefix}Bag>` });
    else {
      const { uri, name: tag } = PROPERTIES[property];
      const namespace = ` xmlns:${tag.slice(0, 2)}="${uri}"`;
      properties += `<${tag}${namespace}><${prefix}Bag>${items}</${prefix}Bag></${tag}>\n`;
    }
  }
  if (properties !== '') {
    if (found.description === null) throw badFile(name, 'there is no rdf:Description in it: this is no XMP');
    edits.push({ gap: found.description, insert: properties });
  }
  // From the end, so that places before stay true; where two are at one, what opens a tag changes the text before it.
  const opens = ({ gap }: { gap: Gap }) => (gap.selfClosing === null ? 0 : 1);
  edits.sort((a, b) => b.gap.at - a.gap.at || opens(a) - opens(b));
  let merged = text;
  for (const { gap, insert } of edits) {
    const open = gap.selfClosing;
    merged =
      open === null
        ? merged.slice(0, gap.at) + insert + merged.slice(gap.at)
        : `${merged.slice(0, merged.lastIndexOf('/', gap.at))}>${insert}</${open}>${merged.slice(gap.at)}`;
  }
  return merged;
}

function scan(text: string, name: string): Found {
  const parser = xmlNamespaceParser(name);
  const found: Found = { values: { subject: [], hierarchicalSubject: [] }, bags: {}, bare: {}, description: null };
  let depth = 0;
  /** Depths of what is open; 0: nothing. */
  let descriptionAt = 0;
  let property: Property | null = null;
  let propertyAt = 0;
  let item: string | null = null;
  let rdf = false;
  parser.on('opentag', ({ uri, local }) => {
    depth++;
    if (uri === RDF && local === 'RDF') rdf = true;
    else if (uri === RDF && local === 'Description' && descriptionAt === 0) descriptionAt = depth;
    else if (descriptionAt > 0 && depth === descriptionAt + 1) {
      property = propertyOf(uri, local);
      propertyAt = depth;
    } else if (property !== null && depth === propertyAt + 2 && uri === RDF && local === 'li') item = '';
  });
  parser.on('text', (piece) => {
    if (item !== null) item += piece;
  });
  parser.on('cdata', (piece) => {
    if (item !== null) item += piece;
  });
  parser.on('closetag', ({ uri, local, prefix, name: tag, isSelfClosing }) => {
    const end = parser.position;
    const gap: Gap = isSelfClosing
      ? { at: end, selfClosing: tag }
      : { at: text.lastIndexOf('</', end - 1), selfClosing: null };
    const before = prefix === '' ? '' : `${prefix}:`;
    if (property !== null && item !== null && depth === propertyAt + 2) {
      if (item.trim() !== '') found.values[property].push(item);
      item = null;
    } else if (property !== null && depth === propertyAt + 1 && uri === RDF && ['Bag', 'Seq', 'Alt'].includes(local))
      found.bags[property] ??= { ...gap, prefix: before };
    else if (property !== null && depth === propertyAt) {
      if (found.bags[property] === undefined) found.bare[property] ??= gap;
      property = null;
    } else if (depth === descriptionAt) {
      found.description ??= { ...gap, prefix: before };
      descriptionAt = 0;
    }
    depth--;
  });
  parser.write(text).close();
  if (!rdf) throw badFile(name, 'there is no rdf:RDF in it: this is no XMP');
  return found;
}

function propertyOf(uri: string, local: string): Property | null {
  const known = (Object.keys(PROPERTIES) as Property[]).find((key) => key === local);
  return known !== undefined && PROPERTIES[known].uri === uri ? known : null;
}
