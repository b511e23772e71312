/** Words on things as evidence for names: what counts as a word, what cannot be read, and how far they are trusted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { type ItemId, sha256Hex } from '../../core/ids.ts';
import type { TextLine } from '../../models/text-reader.ts';
import { checkDiscover } from './discover-with.ts';
import { chooseNames, EVIDENCE_TRUST, nameCandidates } from './evidence.ts';
import { type EvidenceEffects, gatherEvidence } from './gather-evidence.ts';
import { wordReader } from './written-words.ts';

const CORNERS: TextLine['corners'] = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];
const line = (text: string, confidence: number): TextLine => ({ text, confidence, corners: CORNERS });

/** Says what its table has for pictures of that width. */
function saying(byWidth: Readonly<Record<number, readonly TextLine[]>>) {
  const seen: number[] = [];
  const read = async ({ width }: { readonly width: number }) => {
    seen.push(width);
    return [...(byWidth[width] ?? [])];
  };
  return { seen, texts: { longest: 1920, capacity: 2, read } };
}

async function png(width: number, shade: number): Promise<Uint8Array> {
  const create = { width, height: 8, channels: 3, background: { r: shade, g: 0, b: 0 } } as const;
  return sharp({ create }).png().toBuffer();
}

test('words are of letters, four at least, and surely read; each picture is read once', async () => {
  const { seen, texts } = saying({
    16: [line('Apelsin-Juice 100% god', 0.9), line('apelsin', 0.95), line('yoghurt', 0.79)],
  });
  const reader = wordReader(texts);
  const bytes = await png(16, 1);
  const id = sha256Hex(bytes);
  assert.deepEqual(await reader.read(id, bytes), ['apelsin', 'juice']);
  assert.deepEqual(await reader.read(id, bytes), ['apelsin', 'juice']);
  assert.deepEqual(seen, [16]);
  const plain = await png(24, 2);
  assert.deepEqual(await reader.read(sha256Hex(plain), plain), []);
  const broken = bytes.slice(0, 60);
  assert.equal(await reader.read(sha256Hex(broken), broken), undefined);
  assert.deepEqual(reader.counts(), { images: 2, withWords: 1, undecodable: 1 });
});

test('a fault of the reader itself is thrown, not taken for a picture that cannot be decoded', async () => {
  const read = () => Promise.reject(new TypeError('a fault'));
  const bytes = await png(16, 3);
  await assert.rejects(wordReader({ longest: 64, capacity: 1, read }).read(sha256Hex(bytes), bytes), /a fault/);
});

test('a word that one cluster has names it, a word of both names none; what was not inspected is not read', async () => {
  const { seen, texts } = saying({
    16: [line('yoghurt', 0.99), line('arla', 0.99)],
    24: [line('mandarin', 0.99), line('arla', 0.99)],
  });
  const files = new Map<ItemId, Uint8Array>();
  for (let i = 0; i < 24; i++) {
    const bytes = await png(i % 2 === 0 ? 16 : 24, i);
    files.set(sha256Hex(bytes), bytes);
  }
  const ids = [...files.keys()];
  const store: EvidenceEffects['store'] = {
    labelsOf: async () => new Map(),
    pathsOfImages: async (wanted) => {
      const at = { pathBytes: null, sourceRoot: '', byteSize: 1, modifiedAtMs: 0, missing: false };
      return new Map(wanted.map((imageId) => [imageId, [{ imageId, path: imageId, ...at }]]));
    },
  };
  const readBytes = async ({ path }: { readonly path: string }) => files.get(path) ?? new Uint8Array();
  const request = { task: 'class', items: 'images', inspected: new Set(ids.slice(0, 20)) } as const;
  const tables = await gatherEvidence({ store, readBytes }, ids, { ...request, reader: wordReader(texts) });
  assert.equal(seen.length, 20);
  const written = tables.filter(({ source }) => source === 'written');
  assert.deepEqual(
    written[0]?.terms.map((terms) => terms?.length),
    ids.map((_, i) => (i < 20 ? 2 : undefined)),
  );
  const candidates = nameCandidates(
    Int32Array.from(ids, (_, i) => i % 2),
    2,
    written,
  );
  assert.deepEqual(chooseNames(candidates), ['yoghurt', 'mandarin']);
  assert.deepEqual(candidates[0]?.[0]?.evidence, [{ source: 'written', count: 10, of: 10, outside: 0, lift: 2 }]);
  const without = await gatherEvidence({ store, readBytes }, ids, request);
  assert.ok(without.find(({ source }) => source === 'written')?.terms.every((terms) => terms === undefined));
});

test('what is written counts less than keywords and paths, and half of a cluster is no name', () => {
  assert.ok(EVIDENCE_TRUST.written < Math.min(EVIDENCE_TRUST.keyword, EVIDENCE_TRUST.path));
  const half = Array.from({ length: 40 }, (_, i) => (i < 20 && i % 2 === 0 ? ['sale'] : []));
  const clusters = Int32Array.from(half, (_, i) => Math.floor(i / 20));
  assert.deepEqual(chooseNames(nameCandidates(clusters, 2, [{ source: 'written', terms: half }])), [
    'unnamed-1',
    'unnamed-2',
  ]);
});

test('kinds of what is written are no candidates: a carton with names of fruit on it is no fruit', () => {
  const terms = Array.from({ length: 40 }, (_, i) => (i < 20 ? [i % 2 === 0 ? 'apple' : 'orange'] : []));
  const clusters = Int32Array.from(terms, (_, i) => Math.floor(i / 20));
  const named = (source: 'written' | 'path') =>
    nameCandidates(clusters, 2, [{ source, terms }], () => ['fruit'])[0]?.map(({ name }) => name);
  assert.deepEqual(named('written'), ['orange', 'apple']);
  assert.deepEqual(named('path'), ['fruit', 'orange', 'apple']);
});

test('regions are not read, and that is said before anything is embedded', () => {
  assert.throws(() => checkDiscover({ readWords: true, items: 'regions' }), { code: 'USAGE', message: /--read-words/ });
  checkDiscover({ readWords: true, items: 'images' });
});
