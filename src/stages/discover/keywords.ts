/** Keywords that people or programs wrote into image files: IPTC keywords, XMP subjects, Windows' EXIF keywords. */
import ExifReader from 'exifreader';

/** Distinct, in lower case; empty where the file has none or its metadata cannot be read. */
export function keywordsIn(bytes: Uint8Array): string[] {
  let tags: ExifReader.ExpandedTags;
  try {
    // Copied, since the reader takes an ArrayBuffer from its start.
    tags = ExifReader.load(bytes.slice().buffer, { expanded: true });
  } catch {
    // Metadata is not part of the picture: many formats have none, and a broken block says nothing.
    return [];
  }
  const found = [
    ...textsOf(tags.iptc?.Keywords),
    ...textsOf(tags.xmp?.subject),
    ...textsOf((tags.exif as Record<string, unknown> | undefined)?.XPKeywords).flatMap((text) => text.split(';')),
  ];
  const clean = found.map((text) => text.replaceAll('\0', '').trim().toLowerCase());
  return [...new Set(clean.filter((text) => text !== '' && text.length <= 60))];
}

/** The descriptions of a tag, which may be one, a list of them, or a list inside one. */
function textsOf(tag: unknown): string[] {
  if (Array.isArray(tag)) return tag.flatMap(textsOf);
  if (typeof tag !== 'object' || tag === null) return [];
  const { value, description } = tag as { value?: unknown; description?: unknown };
  if (Array.isArray(value) && value.some((part) => typeof part === 'object')) return textsOf(value);
  if (typeof description === 'string') return description.split(/\s*,\s*/);
  return typeof value === 'string' ? [value] : [];
}
