/** A stream of files through a made-up classifier: what is looked at, and that leaving early leaves nothing behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { memoryEntry } from '../../../test/fixtures/memory-entry.ts';
import type { Source, SourceItem } from '../../sources/source.ts';
import type { Classifier, ClassifierInfo } from './classifier-file.ts';
import { predictFiles } from './predict.ts';

const INPUT = { width: 4, height: 4, fit: 'cover', pad: [0, 0, 0], kernel: 'linear' } as const;

const bytes = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#345' } })
  .png()
  .toBuffer();

/** Many files; how many were listed is counted. */
function files(): { source: Pick<Source, 'list'>; listed: () => number } {
  let listed = 0;
  async function* list(): AsyncGenerator<SourceItem> {
    while (listed < 200) yield { kind: 'entry', entry: memoryEntry(`/photos/${listed++}.png`, '/photos', bytes) };
  }
  return { source: { list }, listed: () => listed };
}

/** Says always the same, and fails once it is closed, as a pool of threads does. */
function madeUp() {
  let closed = false;
  const info = { items: 'images', task: 'class', classNames: ['cup', 'lamp'], input: INPUT } as Partial<ClassifierInfo>;
  const classifier: Pick<Classifier, 'classify' | 'info' | 'capacity'> = {
    info: info as ClassifierInfo,
    capacity: 2,
    async classify() {
      await new Promise((done) => setTimeout(done, 5));
      if (closed) throw new Error('the inference pool is closed');
      return Float32Array.of(0.25, 0.75);
    },
  };
  return { classifier, close: () => (closed = true) };
}

/** What `work` leaves to nobody: rejections that nothing handles. */
async function unhandledIn(work: () => Promise<void>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  try {
    await work();
    await new Promise((done) => setTimeout(done, 50));
  } finally {
    process.off('unhandledRejection', note);
  }
  return unhandled;
}

test('a limit stops at the source: so many files are listed and no more', async () => {
  const { source, listed } = files();
  const found = [];
  for await (const one of predictFiles(madeUp().classifier, source, { limit: 5 })) found.push(one);
  assert.deepEqual(
    found.map(({ kind, path }) => [kind, path]),
    [0, 1, 2, 3, 4].map((n) => ['done', `/photos/${n}.png`]),
  );
  assert.equal(listed(), 5);
});

test('whoever leaves the loop may close the classifier at once', async () => {
  const { classifier, close } = madeUp();
  const unhandled = await unhandledIn(async () => {
    for await (const { kind } of predictFiles(classifier, files().source)) if (kind === 'done') break;
    close();
  });
  assert.deepEqual(unhandled, []);
});

test('a classifier that fails ends the stream with its error, told once', async () => {
  const { classifier, close } = madeUp();
  close();
  const unhandled = await unhandledIn(async () => {
    const all = async () => {
      for await (const { kind } of predictFiles(classifier, files().source)) assert.equal(kind, 'done');
    };
    await assert.rejects(all, /pool is closed/);
  });
  assert.deepEqual(unhandled, []);
});
