import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from '../../test/properties.ts';
import { FingerprintSet, fingerprint } from '../core/fingerprints.ts';
import { sha256Hex } from '../core/ids.ts';
import { classFolders, NameTable, safeComponent, safePath, splitExtension } from './names.ts';

const anyName = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('CON', 'com1.jpg', '..', '.', 'a.', 'a ', '\ud800', 'x'.repeat(400)),
);

describe('names', () => {
  it('changes what some file system does not take, and nothing else', () => {
    const cases: [string, string][] = [
      ['a photo (1).jpg', 'a photo (1).jpg'],
      ['100%.jpg', '100%.jpg'],
      ['日本.png', '日本.png'],
      ['a/b', 'a%2Fb'],
      ['..', '%2E%2E'],
      ['.', '%2E'],
      ['.hidden', '%2Ehidden'],
      ['', '%'],
      ['CON', '%43ON'],
      ['nul.tar.gz', '%6Eul.tar.gz'],
      ['COM¹', '%43OM¹'],
      ['CONTACT', 'CONTACT'],
      ['a.', 'a%2E'],
      ['a ', 'a%20'],
      ['a\nb', 'a%0Ab'],
      ['a\\xFFb', 'a%5CxFFb'],
      ['C:x', 'C%3Ax'],
      ['a\ud800b', 'a%uD800b'],
    ];
    for (const [name, safe] of cases) assert.equal(safeComponent(name), safe, JSON.stringify(name));
    assert.equal(safePath('/a//../b/c.jpg'), 'a/%2E%2E/b/c.jpg');
  });

  it('gives components that Windows, macOS and Linux take, for any name', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const safe = safeComponent(name);
        assert.match(safe, /^[^\p{Cc}<>:"/\\|?*]+$/u);
        assert.doesNotMatch(safe, /^\.|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
        assert.ok(Buffer.byteLength(safe) <= 200);
        assert.ok(safe.isWellFormed());
      }),
      { numRuns: 2000 },
    );
  });

  it('cuts long names before the extension and tells them apart', () => {
    const [a, b] = ['a', 'b'].map((last) => safeComponent(`${'ü'.repeat(300)}${last}.jpeg`)) as [string, string];
    assert.notEqual(a, b);
    assert.match(a, /^ü+~[0-9a-f]{8}\.jpeg$/);
  });

  it('never gives two paths that fall together where case and Unicode form are ignored, nor a file where a folder is', () => {
    const part = fc.constantFrom('a', 'A', 'é', 'e\u0301', 'ß', 'SS', 'x.jpg', 'X.JPG', 'x.png', '..', 'con');
    const paths = fc.array(fc.array(part, { minLength: 1, maxLength: 3 }), { maxLength: 30 });
    fc.assert(
      fc.property(paths, fc.boolean(), (rows, uniqueStems) => {
        const table = new NameTable({ uniqueStems });
        const given = rows.map((row, i) => table.give(row.join('/'), sha256Hex(String(i))));
        const fold = (path: string) => path.normalize('NFC').toUpperCase().toLowerCase();
        const files = given.map(fold);
        assert.equal(new Set(files).size, files.length);
        if (uniqueStems) assert.equal(new Set(files.map((file) => splitExtension(file)[0])).size, files.length);
        const folders = new Set(
          files.flatMap((file) => file.split('/').map((_, i, parts) => parts.slice(0, i).join('/'))),
        );
        for (const file of files) assert.ok(!folders.has(file), `${file} is a folder too`);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives each class a folder of its own', () => {
    const names = ['', '..', 'a/b', 'a%2Fb', 'CON', 'Cat', 'cat', '_unlabelled'];
    const { folderOf, changed } = classFolders(names, ['_unlabelled']);
    assert.deepEqual(
      [...folderOf],
      [
        ['', '%'],
        ['..', '%2E%2E'],
        ['a/b', 'a%2Fb'],
        ['a%2Fb', 'a%2Fb~2'],
        ['CON', '%43ON'],
        ['Cat', 'Cat'],
        ['cat', 'cat~2'],
        ['_unlabelled', '_unlabelled~2'],
      ],
    );
    assert.ok(changed);
    assert.equal(classFolders(['cat', 'traffic light'], []).changed, false);
  });
});

describe('fingerprints', () => {
  it('is a set', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 3000 }), (texts) => {
        const set = new FingerprintSet();
        const real = new Set<string>();
        for (const text of texts) {
          assert.equal(set.has(text), real.has(text));
          assert.equal(set.add(text), !real.has(text));
          real.add(text);
        }
        assert.equal(set.size, real.size);
      }),
      { numRuns: 50 },
    );
  });

  it('is the first 13 digits of SHA-256', () => {
    // SHA-256 of "abc" (FIPS 180-4 example): ba7816bf 8f01cfea …; 13 digits are 52 bits
    assert.equal(fingerprint('abc'), 0xba7816bf8f01c);
  });
});
