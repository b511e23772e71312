/** Files that change, move and go: what was said of a picture follows the picture, whatever bytes it is kept in. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { drawn } from '../../../test/contracts/store/fixtures.ts';
import { scene, scenePixels } from '../../../test/fixtures/images.ts';
import { statusOf } from '../../jobs/status.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { findToForget, forget } from '../forget/forget.ts';
import { type AddResult, addTo } from './add.ts';
import { openSources } from './open-sources.ts';

const OPTIONS = { seed: 0, threads: 2, sync: false };

/** A folder of its own with `photos/` in it, and a workspace. */
async function fresh(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-kin-'));
  mkdirSync(join(dir, 'photos'));
  const workspace = await openWorkspace(join(dir, 'ws'), { create: true });
  t.after(async () => {
    await workspace.close();
    rmSync(dir, { recursive: true });
  });
  let clock = 1_700_000_000;
  const at = (name: string) => join(dir, name);
  return {
    workspace,
    at,
    /** Another time at every write: what has the size and time of before is not read again. */
    write(name: string, bytes: Uint8Array) {
      writeFileSync(at(name), bytes);
      utimesSync(at(name), ++clock, clock);
    },
    async add(folders: readonly string[], sync = false): Promise<AddResult> {
      const roots = sync ? await workspace.store.sourceRoots() : [];
      const sources = await openSources(workspace, folders, { cwd: dir }, roots);
      return addTo(workspace, sources, { ...OPTIONS, sync });
    },
  };
}

/** File → classes that people said of it, among images that are there. */
async function saidIn({ store }: Workspace): Promise<Record<string, readonly string[]>> {
  const said: Record<string, readonly string[]> = {};
  for await (const { file, labels } of store.dataset({ unlabelled: true })) {
    said[file] = labels.map(({ className }) => className).sort();
  }
  return said;
}

async function say({ store }: Workspace, file: string, className: string): Promise<void> {
  const task = { name: 'class', rule: 'single', items: 'images' } as const;
  await store.ensureTask(task);
  for await (const image of store.dataset({ unlabelled: true })) {
    if (image.file !== file) continue;
    const label = { itemId: image.id, task: 'class', className, present: true, confidence: 1, runId: null };
    await store.putLabels([{ ...label, origin: 'human' }]);
  }
}

const jpeg = (seed: number) => scene(320, 240, seed).jpeg({ quality: 90 }).toBuffer();

/** The same compressed picture with a comment before it. */
function withComment(bytes: Buffer, text: string): Buffer {
  const comment = Buffer.from(text);
  const head = Buffer.from([0xff, 0xfe, 0, comment.length + 2]);
  return Buffer.concat([bytes.subarray(0, 2), head, comment, bytes.subarray(2)]);
}

test('a file whose metadata changed keeps its labels, boxes and all; changed back it keeps them too', async (t) => {
  const { workspace, write, add } = await fresh(t);
  const { store } = workspace;
  const photo = await jpeg(1);
  write('photos/a.jpg', photo);
  write('photos/b.jpg', await jpeg(2));
  await add(['photos']);
  await say(workspace, 'a.jpg', 'cat');
  await say(workspace, 'b.jpg', 'dog');
  const [id] = [...(await store.lookupPaths([join(workspace.dir, '../photos/a.jpg')])).values()].map(
    (known) => known.imageId ?? '',
  );
  await store.putRegions([drawn(id, [1, 2, 30, 40])]);
  for (const bytes of [withComment(photo, 'holiday'), withComment(photo, 'holiday at the sea'), photo]) {
    write('photos/a.jpg', bytes);
    const { counts } = await add(['photos']);
    assert.deepEqual([counts.images, counts.edited, counts.replaced, counts.unchanged], [1, 1, 0, 1]);
    assert.deepEqual(await saidIn(workspace), { 'a.jpg': ['cat'], 'b.jpg': ['dog'] });
    const summary = await store.summary();
    assert.deepEqual([summary.images, summary.goneImages, summary.regions, summary.paths], [2, 0, 1, 2]);
  }
  assert.deepEqual(await store.check(), []);
});

test('a file that was moved and edited is known by its pixels', async (t) => {
  const { workspace, at, write, add } = await fresh(t);
  const photo = await jpeg(1);
  write('photos/a.jpg', photo);
  await add(['photos']);
  await say(workspace, 'a.jpg', 'cat');
  rmSync(at('photos/a.jpg'));
  await add(['photos'], true);
  assert.deepEqual(await saidIn(workspace), {});
  // PNG of the decoded pixels: other bytes altogether.
  write('photos/b.png', await sharp(photo).png().toBuffer());
  await add(['photos'], true);
  assert.deepEqual(await saidIn(workspace), { 'b.png': ['cat'] });
});

test('a picture that is still there keeps what was said of it, and its edited copy has it too', async (t) => {
  const { workspace, at, write, add } = await fresh(t);
  const photo = await jpeg(1);
  write('photos/a.jpg', photo);
  cpSync(at('photos/a.jpg'), at('photos/copy.jpg'));
  await add(['photos']);
  await say(workspace, 'a.jpg', 'cat');
  write('photos/copy.jpg', withComment(photo, 'copy'));
  assert.equal((await add(['photos'])).counts.edited, 1);
  assert.deepEqual(await saidIn(workspace), { 'a.jpg': ['cat'], 'copy.jpg': ['cat'] });
});

test('another picture under a known name has no labels of the old one; an edit has, with --sync', async (t) => {
  const { workspace, write, add } = await fresh(t);
  for (const [i, name] of ['other', 'turned', 'bright'].entries()) write(`photos/${name}.jpg`, await jpeg(i + 1));
  await add(['photos']);
  for (const name of ['other', 'turned', 'bright']) await say(workspace, `${name}.jpg`, name);
  const pixels = (seed: number) =>
    sharp(scenePixels(320, 240, seed), { raw: { width: 320, height: 240, channels: 3 } });
  const brightened = async (by: number) => pixels(3).linear(1, by).jpeg({ quality: 85 }).toBuffer();
  write('photos/other.jpg', await jpeg(9));
  write('photos/turned.jpg', await pixels(2).rotate(90).jpeg().toBuffer());
  write('photos/bright.jpg', await brightened(8));
  const { counts } = await add(['photos'], true);
  assert.deepEqual([counts.edited, counts.replaced], [1, 2]);
  assert.deepEqual(await saidIn(workspace), { 'bright.jpg': ['bright'], 'other.jpg': [], 'turned.jpg': [] });
  // What was said of the old ones is still on the record, and without --sync an edit is another picture.
  assert.equal((await workspace.store.summary()).goneImages, 2);
  write('photos/bright.jpg', await brightened(14));
  assert.equal((await add(['photos'])).counts.replaced, 1);
});

test('a folder under another name is one source; one that is gone is told, and leaves counts when that is said', async (t) => {
  const { workspace, at, write, add } = await fresh(t);
  const { store } = workspace;
  for (const n of [1, 2, 3]) write(`photos/${n}.jpg`, await jpeg(n));
  await add(['photos']);
  for (const n of [1, 2, 3]) await say(workspace, `${n}.jpg`, `class ${n}`);
  const before = await saidIn(workspace);
  renameSync(at('photos'), at('pictures'));
  const { summary } = await statusOf(workspace, { quarantine: false, check: false });
  assert.deepEqual([summary.images, summary.missingPaths], [3, 3], 'files of a source that is away count as missing');
  mkdirSync(at('else'));
  const told = await add(['else']);
  assert.deepEqual(told.goneSources, [at('photos')]);
  const { counts, goneSources } = await add(['pictures'], true);
  assert.deepEqual([counts.moved, counts.missing, counts.images, goneSources.length], [3, 0, 0, 0]);
  assert.deepEqual(await store.sourceRoots(), [at('pictures')]);
  assert.deepEqual(await saidIn(workspace), before, 'the names of before');
  const { paths, missingPaths } = await store.summary();
  assert.deepEqual([paths, missingPaths], [3, 0]);

  rmSync(at('pictures'), { recursive: true });
  await assert.rejects(add(['pictures']), { code: 'NOT_FOUND' });
  const gone = await add(['pictures'], true);
  assert.deepEqual([gone.counts.missing, gone.goneSources], [3, []]);
  assert.deepEqual(await saidIn(workspace), {});
  assert.equal((await store.summary()).goneImages, 3);
  await assert.rejects(add(['never-there'], true), { code: 'NOT_FOUND' });
});

test('forget: by file, folder, id, or all that are gone; people’s labels are counted before', async (t) => {
  const { workspace, at, write, add } = await fresh(t);
  const { store } = workspace;
  mkdirSync(at('photos/sub'));
  for (const n of [1, 2, 3, 4]) write(`photos/${n > 2 ? 'sub/' : ''}${n}.jpg`, await jpeg(n));
  await add(['photos']);
  await say(workspace, '1.jpg', 'cat');
  const find = (names: readonly string[], gone = false) => findToForget(store, { names, cwd: at('photos'), gone });
  const ids = async (...names: string[]) => (await find(names)).ids.length;
  assert.deepEqual(
    await Promise.all([ids('1.jpg'), ids('sub'), ids('.'), ids('..'), ids('sub/', '1.jpg')]),
    [1, 2, 4, 4, 3],
  );
  await assert.rejects(find(['su']), { code: 'NOT_FOUND' });
  await assert.rejects(find(['0'.repeat(64)]), { code: 'NOT_FOUND' });
  const one = await find(['1.jpg']);
  assert.deepEqual([one.withFiles, one.precious], [1, 1]);
  assert.deepEqual((await find(one.ids)).ids, one.ids);
  assert.deepEqual((await find([], true)).ids, []);
  rmSync(at('photos/sub'), { recursive: true });
  await add(['photos'], true);
  const gone = await find([], true);
  assert.deepEqual([gone.ids.length, gone.withFiles], [2, 0]);
  const { counts } = await forget(workspace, gone.ids, OPTIONS);
  assert.deepEqual([counts.images, counts.paths], [2, 2]);
  assert.deepEqual(await saidIn(workspace), { '1.jpg': ['cat'], '2.jpg': [] });
  assert.deepEqual(await store.check(), []);
});
