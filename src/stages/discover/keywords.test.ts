import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { keywordsIn } from './keywords.ts';

const picture = () => sharp({ create: { width: 8, height: 8, channels: 3, background: '#336699' } });

const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
  '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag><rdf:li>Zebra</rdf:li>' +
  '<rdf:li>grass land</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>';

/** A TIFF block with Windows' keywords, tag 0x9c9e, in UTF-16. */
function exifWith(keywords: string): Buffer {
  const text = Buffer.from(keywords, 'utf16le');
  const block = Buffer.alloc(26 + text.length);
  block.write('MM\0*', 0, 'latin1');
  block.writeUInt32BE(8, 4);
  block.writeUInt16BE(1, 8);
  block.writeUInt16BE(0x9c9e, 10);
  block.writeUInt16BE(1, 12);
  block.writeUInt32BE(text.length, 14);
  block.writeUInt32BE(26, 18);
  text.copy(block, 26);
  return block;
}

/** A PNG with an eXIf chunk before its pixels. */
async function pngWith(exif: Buffer): Promise<Buffer> {
  const png = await picture().png().toBuffer();
  const chunk = Buffer.alloc(12 + exif.length);
  chunk.writeUInt32BE(exif.length);
  chunk.write('eXIf', 4, 'latin1');
  exif.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + exif.length)), 8 + exif.length);
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
}

/** IPTC records 2:25, keywords, as Photoshop puts them into a JPEG. */
async function jpegWithIptc(keywords: readonly string[]): Promise<Buffer> {
  const records = keywords.map((word) =>
    Buffer.concat([Buffer.from([0x1c, 2, 25, 0, word.length]), Buffer.from(word)]),
  );
  const iptc = Buffer.concat(records);
  const head = Buffer.from('Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\0', 'latin1');
  head.writeUInt32BE(iptc.length, head.length - 4);
  const content = Buffer.concat([head, iptc, Buffer.alloc(iptc.length % 2)]);
  const jpeg = await picture().jpeg().toBuffer();
  const marker = Buffer.from([0xff, 0xed, (content.length + 2) >> 8, (content.length + 2) & 255]);
  return Buffer.concat([jpeg.subarray(0, 2), marker, content, jpeg.subarray(2)]);
}

test('keywords of XMP, EXIF and IPTC, in whatever holds them', async () => {
  for (const format of ['jpeg', 'png', 'webp', 'tiff'] as const) {
    const bytes = await picture().withXmp(XMP).toFormat(format).toBuffer();
    assert.deepEqual(await keywordsIn(bytes), ['zebra', 'grass land'], format);
  }
  assert.deepEqual(await keywordsIn(await pngWith(exifWith('Lion; lion ;savanna\0'))), ['lion', 'savanna']);
  assert.deepEqual(await keywordsIn(await jpegWithIptc(['Gnu', 'water hole', 'x'.repeat(61)])), ['gnu', 'water hole']);
  assert.deepEqual(await keywordsIn(await picture().jpeg().toBuffer()), []);
  assert.deepEqual(await keywordsIn(Buffer.from('no image')), []);
});

test('metadata that was made to take for ever takes no time', { timeout: 20_000 }, async () => {
  const startedAt = performance.now();
  for (const text of [`a${' '.repeat(30_000)}a`, ',;'.repeat(9_000), `a${' '.repeat(2_000_000)}a`]) {
    assert.deepEqual(await keywordsIn(await pngWith(exifWith(text))), []);
  }
  assert.ok(performance.now() - startedAt < 5000);
});
