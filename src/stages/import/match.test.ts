import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from '../../../test/properties.ts';
import { sha256Hex } from '../../core/ids.ts';
import { safePath } from '../../formats/names.ts';
import { FileMatcher } from './match.ts';

const idOf = (path: string) => sha256Hex(path);

function matcherOf(
  paths: readonly string[],
  roots: readonly string[] = ['/import', '/data'],
  asked: readonly string[] = [],
) {
  const matcher = new FileMatcher(
    paths.map((path) => ({ imageId: idOf(path), path })),
    roots,
  );
  for (const file of asked) matcher.expect(file);
  return matcher;
}

const matched = (path: string, by: string) => ({ kind: 'matched', imageId: idOf(path), by });

describe('matching names with images', () => {
  it('finds a.jpeg for a.jpg where nothing is called so, and nothing by another kind of file', () => {
    const matcher = matcherOf(['/data/a.jpg', '/data/b.TIF', '/data/c.png', '/data/d.jpeg', '/data/d.jpg']);
    assert.deepEqual(matcher.match('x/a.JPEG'), matched('/data/a.jpg', 'ending'));
    assert.deepEqual(matcher.match('b.tiff'), matched('/data/b.TIF', 'ending'));
    assert.deepEqual(matcher.match('c.jpg'), { kind: 'unmatched', file: 'c.jpg' });
    assert.deepEqual(matcher.match('d.jpg'), matched('/data/d.jpg', 'path'));
    assert.deepEqual(matcher.match('e.jpg'), { kind: 'unmatched', file: 'e.jpg' });
  });
  it('finds by path, by ending, by base name where that is unique', () => {
    const paths = ['/data/cat/001.jpg', '/data/dog/001.jpg', '/data/dog/only.jpg', '/import/x/y.jpg'];
    const matcher = matcherOf(paths);
    assert.deepEqual(matcher.match('/data/cat/001.jpg'), matched('/data/cat/001.jpg', 'path'));
    assert.deepEqual(matcher.match('cat/001.jpg'), matched('/data/cat/001.jpg', 'path'));
    assert.deepEqual(matcher.match('./x/y.jpg'), matched('/import/x/y.jpg', 'path'));
    assert.deepEqual(matcher.match('train/dog/001.jpg'), matched('/data/dog/001.jpg', 'ending'));
    assert.deepEqual(matcher.match('anything/only.jpg'), matched('/data/dog/only.jpg', 'ending'));
    assert.deepEqual(matcher.match('train\\dog\\001.jpg'), matched('/data/dog/001.jpg', 'ending'));
    assert.deepEqual(matcher.match('gone.jpg'), { kind: 'unmatched', file: 'gone.jpg' });
    assert.deepEqual(matcher.match('1.jpg'), { kind: 'unmatched', file: '1.jpg' }, 'components are whole');
    assert.deepEqual(matcher.match('001.jpg'), {
      kind: 'ambiguous',
      file: '001.jpg',
      candidates: ['/data/cat/001.jpg', '/data/dog/001.jpg'].map((path) => path),
    });
  });

  it('finds a long name as exports shorten it, with an ending and without', () => {
    const long = `/data/${'é'.repeat(120)}.jpg`;
    const matcher = matcherOf([long, `/data/${'é'.repeat(121)}.jpg`]);
    const shortened = safePath(long.slice('/data/'.length));
    assert.notEqual(shortened, long.slice('/data/'.length));
    assert.deepEqual(matcher.match(shortened), matched(long, 'path'));
    assert.deepEqual(matcher.match(`images/${shortened}`), matched(long, 'ending'));
    assert.deepEqual(matcher.match(shortened.slice(0, -'.jpg'.length)), matched(long, 'ending'));
    assert.deepEqual(matcher.match(long), matched(long, 'path'));
  });

  it('takes several paths of one image as one', () => {
    const matcher = new FileMatcher(
      [
        { imageId: 'i', path: '/a/x.jpg' },
        { imageId: 'i', path: '/b/x.jpg' },
      ],
      [],
    );
    assert.deepEqual(matcher.match('x.jpg'), { kind: 'matched', imageId: 'i', by: 'ending' });
  });

  it('lets a base name that two files share decide nothing', () => {
    // A pilot holds one of the two images that the truth names.
    const asked = ['cat/001.jpg', 'dog/001.jpg'];
    const matcher = matcherOf(['/pilot/dog/001.jpg'], ['/truth'], asked);
    assert.deepEqual(matcher.match('dog/001.jpg'), matched('/pilot/dog/001.jpg', 'ending'));
    assert.deepEqual(matcher.match('cat/001.jpg'), { kind: 'unmatched', file: 'cat/001.jpg' });
    const one = matcherOf(['/pilot/dog/001.jpg'], ['/truth'], ['cat/001.jpg', './cat/001.jpg']);
    assert.equal(one.match('cat/001.jpg').kind, 'matched', 'the same file named twice is one file');
  });

  it('does not choose between sources that have the same relative path, but takes the import’s own folder first', () => {
    const matcher = matcherOf(['/a/x.jpg', '/b/x.jpg', '/import/y.jpg', '/b/y.jpg'], ['/import', '/a', '/b']);
    assert.equal(matcher.match('x.jpg').kind, 'ambiguous');
    assert.deepEqual(matcher.match('y.jpg'), matched('/import/y.jpg', 'path'));
  });

  it('finds names with no extension, as label files have them', () => {
    const matcher = matcherOf(['/d/a/x.PNG', '/d/b/x.jpg', '/d/b/z.jpg', '/d/b/z.png']);
    assert.deepEqual(matcher.match('labels/a/x'), matched('/d/a/x.PNG', 'ending'));
    assert.deepEqual(matcher.match('b/x'), matched('/d/b/x.jpg', 'ending'));
    assert.equal(matcher.match('x').kind, 'ambiguous');
    assert.equal(matcher.match('b/z').kind, 'ambiguous');
    assert.equal(matcher.match('q').kind, 'unmatched');
  });

  it('uses the identity before endings, and bytes last', () => {
    const matcher = matcherOf(['/d/a.jpg', '/d/b.jpg']);
    assert.deepEqual(matcher.match('zz/b.jpg', idOf('/d/a.jpg')), matched('/d/a.jpg', 'identity'));
    assert.deepEqual(matcher.matchBytes('q.jpg', idOf('/d/b.jpg')), matched('/d/b.jpg', 'sha256'));
    assert.deepEqual(matcher.matchBytes('q.jpg', idOf('none')), { kind: 'unmatched', file: 'q.jpg' });
  });

  it('takes both Unicode forms of a name for one', () => {
    assert.equal(matcherOf(['/d/\u00e9.jpg']).match('e\u0301.jpg').kind, 'matched');
  });

  it('reads names as people mean them', () => {
    const matcher = matcherOf(['/d/my cat.jpg', '/d/c.JPG', '/d/100%.png']);
    for (const name of [
      'C:\\Users\\me\\d\\my cat.jpg',
      'd/my%20cat.jpg',
      'https://b.s3.amazonaws.com/d/my%20cat.jpg?X-Amz-Signature=a%2Fb#x',
      ' my cat.jpg',
      'MY CAT.JPG',
    ])
      assert.deepEqual(matcher.match(name), matched('/d/my cat.jpg', 'ending'), name);
    assert.deepEqual(matcher.match('c.jpg'), matched('/d/c.JPG', 'ending'));
    assert.deepEqual(matcher.match('100%.png'), matched('/d/100%.png', 'ending'));
  });

  it('lets the form of accents decide between names that are both there', () => {
    const [composed, apart] = ['/data/k/\u00e9.jpg', '/data/k/e\u0301.jpg'];
    const matcher = matcherOf([composed, apart, '/data/k/\u00c9.jpg']);
    for (const path of [composed, apart]) {
      assert.deepEqual(matcher.match(path), matched(path, 'path'));
      assert.deepEqual(matcher.match(path.slice(8)), matched(path, 'ending'));
    }
    // Neither is written so: letters' case decides.
    assert.deepEqual(matcher.match('E\u0301.jpg'), matched('/data/k/\u00c9.jpg', 'ending'));
    assert.deepEqual(matcherOf([apart]).match('k/\u00e9.jpg'), matched(apart, 'path'));
  });

  it('lets the case of letters decide between names that are both there', () => {
    const matcher = matcherOf(['/a/x/c.jpg', '/a/y/c.JPG']);
    assert.deepEqual(matcher.match('c.JPG'), matched('/a/y/c.JPG', 'ending'));
    assert.deepEqual(matcher.match('c.jpg'), matched('/a/x/c.jpg', 'ending'));
    assert.equal(matcher.match('c.Jpg').kind, 'ambiguous');
  });

  it('goes on to other names of the same image', () => {
    const matcher = matcherOf(['/d/0001.jpg']);
    assert.deepEqual(matcher.match('IMG_7.jpg', undefined, ['0001']), matched('/d/0001.jpg', 'ending'));
  });

  it('agrees with a search through all paths', () => {
    const part = fc.constantFrom('a', 'b', 'c');
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `${parts.join('/')}.jpg`);
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 20 }), path, (stored, file) => {
        const paths = stored.map((relative) => `/s/${relative}`);
        const match = new FileMatcher(
          paths.map((at) => ({ imageId: idOf(at), path: at })),
          [],
        ).match(file);
        const reversed = file.split('/').reverse();
        const shares = paths.map((at) => {
          const parts = at.split('/').reverse();
          const differs = reversed.findIndex((name, i) => parts[i] !== name);
          return differs < 0 ? reversed.length : differs;
        });
        const most = Math.max(0, ...shares);
        const best = paths.filter((_, i) => shares[i] === most);
        if (most === 0) assert.equal(match.kind, 'unmatched');
        else if (best.length > 1) assert.equal(match.kind, 'ambiguous');
        else assert.deepEqual(match, matched(best[0], 'ending'));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes off what Label Studio put before an uploaded name where nothing else matches', () => {
    const matcher = matcherOf(['/data/p.jpg', '/data/0a1b2c3d-q.jpg', '/data/q.jpg'], ['/truth']);
    assert.deepEqual(matcher.match('images/1a2b3c4d-p.jpg'), matched('/data/p.jpg', 'upload'));
    assert.deepEqual(matcher.match('images\\1a2b3c4d-p.jpg'), matched('/data/p.jpg', 'upload'));
    assert.deepEqual(matcher.match('0a1b2c3d-q.jpg'), matched('/data/0a1b2c3d-q.jpg', 'ending'));
    assert.equal(matcher.match('1a2b3c-p.jpg').kind, 'unmatched');
  });

  it('takes no time for names that nobody gives a file', () => {
    const matcher = matcherOf(['/data/p.jpg'], ['/truth']);
    // Each of these took minutes: they are what regular expressions for addresses are quadratic on.
    for (const part of ['%', '/', 'a?', 'a.b#', '.rf.', '/aaaaaaaa-'])
      assert.equal(matcher.match(`${part.repeat(500_000)}.jpg`).kind, 'unmatched');
  });

  it('passes over a query behind a path', () => {
    const matcher = matcherOf(['/data/p.jpg'], ['/truth']);
    assert.deepEqual(matcher.match('/media/x/p.jpg?sig=1'), matched('/data/p.jpg', 'ending'));
  });

  it('stays quick when every file has the same name', () => {
    const n = 50_000;
    const paths = Array.from({ length: n }, (_, i) => `/data/${i}/image.jpg`);
    const matcher = matcherOf(paths, ['/truth']);
    const started = performance.now();
    for (let i = 0; i < n; i++) assert.equal(matcher.match(`${i}/image.jpg`).kind, 'matched');
    assert.equal(matcher.match('image.jpg').kind, 'ambiguous');
    // A scan of equal names would take n² / 2 steps, minutes.
    assert.ok(performance.now() - started < 20_000);
  });
});
