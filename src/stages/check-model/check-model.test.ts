/** The verdicts, with models that say what the test wants. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { NO_DETECTIONS } from '../../core/boxes.ts';
import { IMAGENET_NAMES } from '../../core/imagenet-classes.ts';
import type { Models } from '../../models/models.ts';
import { checkModel } from './check-model.ts';
import { KNOWN_PHOTOGRAPHS } from './known-photographs.ts';

const folder = mkdtempSync(join(tmpdir(), 'labelsmith-check-'));
after(() => rmSync(folder, { recursive: true, force: true }));
/** The photographs' stand-ins are told apart by their shade. */
const shade = (i: number) => 10 + 20 * i;
for (const [i, { file }] of KNOWN_PHOTOGRAPHS.entries()) {
  const background = { r: shade(i), g: shade(i), b: shade(i) };
  await sharp({ create: { width: 64, height: 64, channels: 3, background } })
    .png()
    .toFile(join(folder, file));
}
const photographOf = (pixels: Uint8Array) => KNOWN_PHOTOGRAPHS[Math.round((pixels[0] - 10) / 20)]!;

const input = { width: 8, height: 8, fit: 'cover', pad: [0, 0, 0], kernel: 'linear' } as const;
const close = async () => {};
const nothing = () => assert.fail('not asked for');

function models(given: Partial<Pick<Models, 'openEmbedder' | 'openDetector' | 'openImageClassifier'>>) {
  return { openEmbedder: nothing, openDetector: nothing, openImageClassifier: nothing, ...given };
}

/** @param name of a class, by the photograph */
function classifier(name: (file: string) => string): Models['openImageClassifier'] {
  const classify = async (pixels: Uint8Array) => {
    const wanted = name(photographOf(pixels).file);
    return Float32Array.from(IMAGENET_NAMES, (synonyms) => Number(synonyms.split(',')[0] === wanted));
  };
  return async (id) => ({ id, key: 'k', classNames: IMAGENET_NAMES, input, classify, close });
}

test('a classifier that names what is there makes sense, one that says one thing of everything does not', async () => {
  const right = models({
    openImageClassifier: classifier((file) => KNOWN_PHOTOGRAPHS.find((known) => known.file === file)?.classes[0] ?? ''),
  });
  const good = await checkModel(right, { id: 'good', role: 'classifier' }, folder);
  assert.deepEqual([good.sensible, good.right, good.of], [true, 6, 6]);
  const menus = models({ openImageClassifier: classifier(() => 'menu') });
  const bad = await checkModel(menus, { id: 'bad', role: 'classifier' }, folder);
  assert.deepEqual([bad.sensible, bad.right], [false, 2]);
  assert.match(bad.answers[0]?.said ?? '', /^menu 1\.00/);
});

test('an embedder with votes is checked by them, another by what is near', async () => {
  const embedder = (votes: boolean, vector: (file: string) => number[]): Models['openEmbedder'] => {
    const look = async (pixels: Uint8Array) => {
      const { file, classes } = photographOf(pixels);
      const number = IMAGENET_NAMES.findIndex((synonyms) => synonyms.split(',')[0] === classes[0]);
      return { embeddings: Float32Array.from(vector(file)), votes: votes ? Float32Array.of(number, 0.9) : null };
    };
    const embed = async (pixels: Uint8Array) => (await look(pixels)).embeddings;
    const rest = {
      dimensions: 2,
      blocks: [],
      batch: 1,
      gathered: 1,
      capacity: 1,
      votes: votes ? ('imagenet-1000' as const) : null,
    };
    return async (id) => ({ id, key: 'k', input, look, embed, close, ...rest });
  };
  const voting = models({ openEmbedder: embedder(true, () => [1, 0]) });
  assert.equal((await checkModel(voting, { id: 'votes', role: 'embedder' }, folder)).right, 6);
  const kinds = { meal: [1, 0.1], repo: [0, 1], othe: [-1, 0] };
  const near = models({ openEmbedder: embedder(false, (file) => kinds[file.slice(0, 4) as keyof typeof kinds]) });
  const found = await checkModel(near, { id: 'near', role: 'embedder' }, folder);
  assert.deepEqual([found.sensible, found.right, found.of], [true, 4, 4]);
  const broken = models({ openEmbedder: embedder(false, () => [Number.NaN, 0]) });
  assert.equal((await checkModel(broken, { id: 'broken', role: 'embedder' }, folder)).sensible, false);
});

test('a detector has to find most of the large things, where they are', async () => {
  const detector = (shift: number): Models['openDetector'] => {
    const classNames = [...new Set(KNOWN_PHOTOGRAPHS.flatMap(({ objects }) => objects.map(({ name }) => name)))];
    const detect: Awaited<ReturnType<Models['openDetector']>>['detect'] = async (pixels, { width, height }) => {
      const { objects } = photographOf(pixels);
      if (objects.length === 0) return NO_DETECTIONS;
      return {
        count: objects.length,
        boxes: Float32Array.from(
          objects.flatMap(({ box }) => box.map((share, edge) => (share + shift) * (edge % 2 ? height : width))),
        ),
        scores: new Float32Array(objects.length).fill(0.9),
        classes: Int32Array.from(objects, ({ name }) => classNames.indexOf(name)),
      };
    };
    return async (id) => ({ id, key: 'k', classNames, input, capacity: 1, detect, close });
  };
  const good = await checkModel(models({ openDetector: detector(0) }), { id: 'd', role: 'detector' }, folder);
  assert.deepEqual([good.sensible, good.right, good.of], [true, 7, 7]);
  const bad = await checkModel(models({ openDetector: detector(0.2) }), { id: 'd', role: 'detector' }, folder);
  assert.equal(bad.sensible, false);
});

test('models of people, boxes and words that are to be found first are not checked, and that is said', async () => {
  for (const role of ['pose', 'segmenter', 'reader'] as const) {
    await assert.rejects(checkModel(models({}), { id: 'p', role }, folder), { code: 'UNSUPPORTED' });
  }
});
