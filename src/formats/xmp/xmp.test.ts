import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  brokenFiles,
  contextFor,
  inTemporaryFolder,
  readAll,
  streamOf,
  twoImages,
  writeFiles,
} from '../../../test/contracts/format.ts';
import { exportDataset } from '../../stages/export/write.ts';
import { keywordsIn, newSidecar, withKeywords } from './sidecar.ts';

const noExiftool =
  spawnSync('exiftool', ['-ver']).error === undefined
    ? false
    : 'there is no exiftool on this machine (Debian: libimage-exiftool-perl)';

/** What exiftool reads of a sidecar. */
function exiftool(path: string): Record<string, unknown> {
  const { stdout, stderr } = spawnSync('exiftool', ['-json', '-validate', '-warning', '-a', path], {
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  const all = spawnSync('exiftool', ['-json', '-xmp:all', path], { encoding: 'utf8' }).stdout;
  return { ...JSON.parse(stdout)[0], ...JSON.parse(all)[0] };
}

/** As Lightroom and darktable leave one: another prefix for RDF, a rating, edits, and keywords of the person's own. */
const EXISTING = `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
  <r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <r:Description r:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
      xmp:Rating="4">\r
      <!-- edits -->
      <dc:title><r:Alt><r:li xml:lang="x-default">Grandma &amp; Rex</r:li></r:Alt></dc:title>
      <dc:subject><r:Bag><r:li>family</r:li><r:li>dog</r:li></r:Bag></dc:subject>
    </r:Description>
  </r:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`;

describe('xmp', () => {
  it('exiftool reads the keywords and finds nothing wrong', { skip: noExiftool }, async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      const parentOf = (name: string) => ({ dog: 'animal', animal: 'living thing' })[name] ?? null;
      await exportDataset('xmp', out, streamOf(images), contextFor(images, seeds, { parentOf, unlabelled: false }));
      assert.deepEqual(
        (await readdir(out, { recursive: true })).filter((name) => !name.startsWith('.')),
        ['day 1', 'day 1/a.jpg.xmp'],
      );
      const read = exiftool(join(out, 'day 1/a.jpg.xmp'));
      assert.deepEqual(read.Subject, ['dog', 'zebra fish']);
      assert.deepEqual(read.HierarchicalSubject, ['living thing|animal|dog', 'zebra fish']);
      assert.equal(read.Validate, 'OK');
    });
  });

  it('adds to the sidecar that the source has, and leaves that one and all else in it alone', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      await writeFiles(folder, { 'source/a.jpg.xmp': EXISTING });
      const out = join(folder, 'out');
      const sourcePathOf = async () => join(folder, 'source/a.jpg');
      await exportDataset('xmp', out, streamOf(images.slice(0, 1)), contextFor(images, seeds, { sourcePathOf }));
      assert.equal(await readFile(join(folder, 'source/a.jpg.xmp'), 'utf8'), EXISTING);
      const merged = await readFile(join(out, 'day 1/a.jpg.xmp'), 'utf8');
      assert.deepEqual(keywordsIn(merged, 'x').subject, ['family', 'dog', 'zebra fish']);
      assert.deepEqual(keywordsIn(merged, 'x').hierarchicalSubject, ['dog', 'zebra fish']);
      const withoutOurs = merged
        .replace('<r:li>zebra fish</r:li></r:Bag></dc:subject>', '</r:Bag></dc:subject>')
        .replace(/<lr:hierarchicalSubject.*<\/lr:hierarchicalSubject>\n/, '');
      assert.equal(withoutOurs, EXISTING);
      if (noExiftool !== false) return;
      const path = join(folder, 'merged.xmp');
      await writeFile(path, merged);
      const read = exiftool(path);
      assert.deepEqual([read.Rating, read.Title, read.Subject], [4, 'Grandma & Rex', ['family', 'dog', 'zebra fish']]);
      assert.equal(read.Validate, 'OK');
    });
  });

  it('opens elements that close themselves, and says the same again only once', () => {
    const wrap = (inside: string) =>
      `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">${inside}</rdf:RDF>`;
    const keywords = { subject: ['a<b', 'c'], hierarchicalSubject: ['a<b'] };
    for (const inside of [
      '<rdf:Description rdf:about=""/>',
      '<rdf:Description rdf:about=""><dc:subject/></rdf:Description>',
      '<rdf:Description rdf:about=""><dc:subject><rdf:Bag/></dc:subject></rdf:Description>',
      '<rdf:Description rdf:about=""><dc:subject></dc:subject></rdf:Description>',
    ]) {
      const merged = withKeywords(wrap(inside), keywords, 'x');
      assert.deepEqual(keywordsIn(merged, inside), keywords);
      assert.equal(withKeywords(merged, keywords, 'x'), merged);
    }
    assert.deepEqual(keywordsIn(newSidecar(keywords, '1'), 'x'), keywords);
  });

  it('leaves an image out whose own sidecar is broken, and says so', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      await writeFiles(folder, { 'source/a.xmp': EXISTING.slice(0, 400) });
      const context = contextFor(images, seeds, { sourcePathOf: async () => join(folder, 'source/a.jpg') });
      const summary = await exportDataset('xmp', join(folder, 'out'), streamOf(images.slice(0, 1)), context);
      assert.equal(summary.failedImages, 1);
      assert.match(summary.problems[0], /its sidecar cannot be read, a\.xmp:\d+: not valid XML/);
    });
  });

  it('means the image whose name the sidecar has, with its extension or without', async () => {
    await inTemporaryFolder(async (folder) => {
      const text = newSidecar({ subject: [], hierarchicalSubject: ['vehicle|car'] }, '1');
      await writeFiles(folder, { 'a.jpg.xmp': text, 'sub/b.xmp': text });
      const read = await readAll('xmp', folder);
      assert.deepEqual(
        read.map(({ file, labels }) => [file, labels[0]?.className]),
        [
          ['a.jpg', 'car'],
          ['sub/b', 'car'],
        ],
      );
    });
  });
});

brokenFiles('xmp', [
  { what: 'cut', files: { 'a.xmp': EXISTING.slice(0, 300) }, path: 'a.xmp', message: /a\.xmp:\d+: not valid XML/ },
  { what: 'other XML', files: { 'd/a.xmp': '<svg/>' }, path: 'd', message: /a\.xmp: there is no rdf:RDF in it/ },
  { what: 'an unknown prefix', files: { 'a.xmp': '<x:xmpmeta/>' }, path: 'a.xmp', message: /a\.xmp:1: not valid XML/ },
  {
    what: 'no text',
    files: { 'a.xmp': Buffer.from([0xff, 0xd8, 0x80]) },
    path: 'a.xmp',
    message: /a\.xmp: the text is not UTF-8/,
  },
  { what: 'a folder without', files: { 'd/a.jpg': 'x' }, path: 'd', message: /there are no XMP sidecars in it/ },
]);
