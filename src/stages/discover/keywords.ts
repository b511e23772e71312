/** Keywords that people or programs wrote into image files: IPTC keywords, XMP subjects, Windows' EXIF keywords. */
import ExifReader from 'exifreader';
import { metadataOf } from '../../images/metadata.ts';

/** Longer texts are no list of keywords. */
const MAX_TEXT_LENGTH = 20_000;
const MAX_KEYWORD_LENGTH = 60;

/** Distinct, in lower case; empty where the file has none or its metadata cannot be read. */
export async function keywordsIn(bytes: Uint8Array): Promise<string[]> {
  const metadata = await metadataOf(bytes);
  if (metadata.length === 0) return [];
  let tags: ExifReader.ExpandedTags;
  try {
    // Copied, since the reader takes an ArrayBuffer from its start.
    tags = ExifReader.load(new Uint8Array(metadata).buffer, { expanded: true });
  } catch {
    // Metadata is not part of the picture: many formats have none, and a broken block says nothing.
    return [];
  }
  const found = [
    ...textsOf(tags.iptc?.Keywords),
    ...textsOf(tags.xmp?.subject),
    ...textsOf((tags.exif as Record<string, unknown> | undefined)?.XPKeywords).flatMap((text) => partsOf(text, ';')),
  ];
  const clean = found.map((text) => text.replaceAll('\0', '').trim().toLowerCase());
  return [...new Set(clean.filter((text) => text !== '' && text.length <= MAX_KEYWORD_LENGTH))];
}

/** The descriptions of a tag, which may be one, a list of them, or a list inside one. */
function textsOf(tag: unknown): string[] {
  if (Array.isArray(tag)) return tag.flatMap(textsOf);
  if (typeof tag !== 'object' || tag === null) return [];
  const { value, description } = tag as { value?: unknown; description?: unknown };
  if (Array.isArray(value) && value.some((part) => typeof part === 'object')) return textsOf(value);
  if (typeof description === 'string') return partsOf(description, ',');
  return typeof value === 'string' ? [value] : [];
}

/** Not by an expression with blanks around the separator: of a million blanks that takes a quarter of an hour. */
function partsOf(text: string, separator: string): string[] {
  return text.length > MAX_TEXT_LENGTH ? [] : text.split(separator).map((part) => part.trim());
}
