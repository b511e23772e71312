/** Models of the hub from end to end through the built command line, with networks of random weights in the hub's layout. */
import assert from 'node:assert/strict';
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { runCli, scratch } from '../cli.ts';
import { startHub } from '../fixtures/hub-server.ts';
import { imagesIn, statusIn } from '../workspace.ts';

const FOLDER = resolve(import.meta.dirname, '../fixtures/hub');
const PICTURES = ['landscape.jpg', 'portrait.jpg'];

const DETECTION = z.object({ score: z.number(), class: z.number(), box: z.array(z.number()) });
const EXPECTED = z.object({ words: z.array(z.string()), detections: z.record(z.string(), z.array(DETECTION)) });
const COUNTS = z.object({ images: z.number(), detected: z.number(), regions: z.number() });

/** A folder with the two pictures added, and what runs commands in it. */
async function workspaceOf(t: TestContext) {
  const cwd = await scratch(t);
  const env = { LABELSMITH_CACHE: join(cwd, 'cache'), LABELSMITH_OFFLINE: '' };
  const run = async (args: readonly string[], code = 0) => {
    const result = await runCli(args, { cwd, env });
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
    return result;
  };
  const json = async <S extends z.ZodType>(schema: S, args: readonly string[]): Promise<z.output<S>> =>
    schema.parse(JSON.parse((await run([...args, '--json'])).stdout));
  mkdirSync(join(cwd, 'photos'));
  for (const name of PICTURES) cpSync(join(FOLDER, name), join(cwd, 'photos', name));
  await run(['add', 'photos']);
  const take = (family: string) => run(['models', 'import', join(FOLDER, family), '--name', `tiny-${family}`]);
  return { cwd, run, json, take };
}

/** Names of the regions that scored so much, by Python's transformers. */
function regionsOf(family: string, threshold: number): string[] {
  const { words, detections } = EXPECTED.parse(JSON.parse(readFileSync(join(FOLDER, family, 'expected.json'), 'utf8')));
  const sizes: Readonly<Record<string, readonly [number, number]>> = {
    'landscape.jpg': [201, 133],
    'portrait.jpg': [120, 187],
  };
  return Object.entries(detections)
    .flatMap(([file, found]) => {
      const [width, height] = sizes[file] ?? [0, 0];
      return found.filter(({ score, box: [x1 = 0, y1 = 0] }) => score >= threshold && x1 < width && y1 < height);
    })
    .map((found) => words[found.class] ?? '')
    .sort();
}

test('detect --classes finds words, says so of each run, and runs on nothing twice', async (t) => {
  const { cwd, run, json, take } = await workspaceOf(t);
  assert.match((await take('owlv2')).stdout, /Imported tiny-owlv2: detector, 64 × 64/);
  const detect = ['detect', '--model', 'tiny-owlv2'];
  const { stderr } = await run(detect, 2);
  assert.match(stderr, /told in words.*\n?.*--classes/s);
  writeFileSync(join(cwd, 'words.txt'), '# what is in here\nred car\nforklift\ncat\n');
  const asked = [...detect, '--classes', 'words.txt', '--threshold', '0.3'];
  const expected = regionsOf('owlv2', 0.3);
  assert.deepEqual(await json(COUNTS, asked), { images: 2, detected: 2, regions: expected.length });
  assert.deepEqual(await json(COUNTS, [...asked, '--seed', '0']), { images: 0, detected: 0, regions: 0 });

  const classesFound = async () => {
    const images = [...(await imagesIn(cwd)).values()];
    const labels = images.flatMap(({ regions }) => regions.flatMap((region) => region.labels));
    return labels.map((label) => label.class).sort();
  };
  const classes = await classesFound();
  assert.deepEqual(classes, expected);

  // Another order of the same words is the same; other words, or another sentence, are another run.
  const again = await json(COUNTS, [...detect, '--classes', 'cat,red car,forklift', '--threshold', '0.3']);
  assert.equal(again.images, 0);
  const other = await json(COUNTS, [...detect, '--classes', 'cat,pallet', '--threshold', '0.3']);
  assert.equal(other.detected, 2);
  assert.ok(!(await classesFound()).includes('forklift'), 'the last list is what counts');
  assert.deepEqual(await json(COUNTS, asked), { images: 2, detected: 0, regions: expected.length });
  assert.deepEqual(await classesFound(), expected);
  const sentence = await json(COUNTS, [...asked, '--template', 'an X-ray of a {}']);
  assert.equal(sentence.detected, 2);
  await run([...asked, '--template', 'no place'], 2);
  const { runs } = await statusIn(cwd);
  assert.ok(runs.filter(({ stage, status }) => stage === 'detect' && status === 'done').length >= 4);
});

test('detect --classes puts all words in one sentence for Grounding DINO, on images of any size', async (t) => {
  const { cwd, run, json, take } = await workspaceOf(t);
  await take('grounding_dino');
  const detect = ['detect', '--model', 'tiny-grounding_dino', '--threshold', '0.3'];
  const expected = regionsOf('grounding_dino', 0.3);
  assert.ok(expected.length > 0);
  const asked = [...detect, '--classes', 'forklift,Red car,cat'];
  await run([...asked, '--dry-run']);
  assert.deepEqual(await json(COUNTS, asked), { images: 2, detected: 2, regions: expected.length });
  const images = [...(await imagesIn(cwd)).values()];
  const labels = images.flatMap(({ regions }) => regions.flatMap((region) => region.labels));
  assert.deepEqual(labels.map((label) => label.class.toLowerCase()).sort(), expected);

  const many = Array.from({ length: 120 }, (_, i) => `red car ${i}`).join(',');
  assert.match((await run([...detect, '--classes', many], 2)).stderr, /takes 256 at once.*several runs/s);
  assert.match((await run([...detect, '--classes', 'cat,?'], 2)).stderr, /"\?" has no letter/);
  // A full stop ends a label for the network, and is read as a space.
  await run([...detect, '--classes', 'st. cat,fork', '--tiles']);
});

test('detect --segmenter makes masks in boxes with SAM 2, once each, and they are exported', async (t) => {
  const { cwd, run, json, take } = await workspaceOf(t);
  await take('owlv2');
  assert.match((await take('sam2')).stdout, /Imported tiny-sam2: segmenter, 64 × 64/);
  const detect = ['detect', '--model', 'tiny-owlv2', '--classes', 'forklift,red car,cat', '--segmenter', 'tiny-sam2'];
  const masks = z.object({ segment: z.object({ images: z.number(), regions: z.number() }) });
  const { segment } = await json(masks, detect);
  const expected = regionsOf('owlv2', 0.3).length;
  assert.deepEqual(segment, { images: 2, regions: expected });
  assert.deepEqual((await json(masks, detect)).segment, { images: 0, regions: 0 });
  await run(['export', 'coco', 'coco', '--task', 'objects']);
  const { annotations } = z
    .object({
      annotations: z.array(z.object({ bbox: z.array(z.number()), area: z.number(), segmentation: z.unknown() })),
    })
    .parse(JSON.parse(readFileSync(join(cwd, 'coco/annotations.json'), 'utf8')));
  assert.equal(annotations.length, expected);
  for (const {
    bbox: [, , width = 0, height = 0],
    area,
    segmentation,
  } of annotations) {
    assert.ok(segmentation !== undefined);
    assert.ok(area > 0 && area <= (width + 1) * (height + 1), `${area} of ${width} × ${height}`);
  }
  assert.ok(annotations.some(({ bbox: [, , width = 0, height = 0], area }) => area < 0.9 * width * height));
  assert.match((await run([...detect, '--segmenter', 'tiny-owlv2'], 2)).stderr, /is a detector, not a model of masks/);
});

test('a box that a person drew gets a mask, which stays told apart from it on every way out and in', async (t) => {
  const { cwd, run, json, take } = await workspaceOf(t);
  await take('owlv2');
  await take('sam2');
  const outline =
    '{"file":"portrait.jpg","regions":[{"box":[60,60,110,150],"labels":[{"class":"mine"}],"polygons":[[60,60,110,60,110,150]]}]}';
  writeFileSync(join(cwd, 'boxes.csv'), 'file,class,x1,y1,x2,y2\nlandscape.jpg,mine,20,30,120,110\n');
  writeFileSync(join(cwd, 'outline.jsonl'), `${outline}\n`);
  await run(['import', 'csv', 'boxes.csv', '--as', 'human']);
  await run(['import', 'jsonl', 'outline.jsonl', '--as', 'human']);
  const detect = [
    'detect',
    '--model',
    'tiny-owlv2',
    '--classes',
    'forklift',
    '--threshold',
    '1',
    '--segmenter',
    'tiny-sam2',
  ];
  const masks = z.object({ segment: z.object({ images: z.number(), regions: z.number() }) });
  assert.deepEqual((await json(masks, detect)).segment, { images: 1, regions: 1 });
  assert.deepEqual((await json(masks, detect)).segment, { images: 0, regions: 0 });
  const row = z.object({
    box: z.array(z.number()),
    touched: z.boolean(),
    mask: z.object({ size: z.tuple([z.number(), z.number()]) }).optional(),
    maskMaker: z.string().optional(),
    polygons: z.unknown().optional(),
  });
  const regionsIn = async (place: string, out: string) => {
    await run(['-w', place, 'export', 'jsonl', out, '--task', 'objects']);
    const lines = readFileSync(join(cwd, out), 'utf8').trim().split('\n');
    const regions = lines.flatMap((line) => z.object({ regions: z.array(row) }).parse(JSON.parse(line)).regions);
    return regions.sort((a, b) => (a.box[0] ?? 0) - (b.box[0] ?? 0));
  };
  const [drawn, outlined] = await regionsIn('.labelsmith', 'first.jsonl');
  assert.deepEqual([drawn?.box, drawn?.touched, drawn?.mask?.size], [[20, 30, 120, 110], true, [133, 201]]);
  assert.match(drawn?.maskMaker ?? '', /^tiny-sam2@/);
  assert.deepEqual([outlined?.mask, outlined?.maskMaker], [undefined, undefined], "a person's outline stays alone");

  await run(['-w', 'second', 'add', 'photos']);
  await run(['-w', 'second', 'import', 'jsonl', 'first.jsonl']);
  await run(['-w', '.labelsmith', 'workspace', 'copy', '.labelsmith', 'third']);
  for (const place of ['second', 'third']) {
    await regionsIn(place, `${place}.jsonl`);
    assert.equal(
      readFileSync(join(cwd, `${place}.jsonl`), 'utf8'),
      readFileSync(join(cwd, 'first.jsonl'), 'utf8'),
      place,
    );
  }
  await run(['-w', 'second', ...detect, '--force']);
  assert.equal((await regionsIn('second', 'again.jsonl')).length, 2);
});

test('models pull --all-of zero-shot --to a folder is all that a machine without a network needs', async (t) => {
  const { cwd } = await workspaceOf(t);
  const hub = await startHub();
  t.after(() => hub.close());
  const family = join(FOLDER, 'siglip2');
  const names = globSync('**/*.{json,onnx}', { cwd: family }).filter((name) => name !== 'expected.json');
  const files = new Map(names.map((name) => [name.replaceAll('\\', '/'), readFileSync(join(family, name))]));
  const commit = '0123456789abcdef0123456789abcdef01234567';
  hub.putRepository('onnx-community/siglip2-base-patch16-224-ONNX', files, { commit, licence: 'apache-2.0' });
  const network = { HF_ENDPOINT: hub.endpoint, HF_HOME: join(cwd, 'hf'), LABELSMITH_OFFLINE: '' };
  const env = { ...network, LABELSMITH_CACHE: join(cwd, 'unused') };
  const pulled = await runCli(['models', 'pull', '--all-of', 'zero-shot', '--to', 'models'], { cwd, env });
  assert.equal(pulled.code, 0, pulled.stderr);
  assert.deepEqual(
    globSync('onnxruntime/*/node_modules/onnxruntime-node/package.json', { cwd: join(cwd, 'models') }).length,
    1,
    'the other machine may have no ONNX Runtime',
  );
  const asked = hub.requests.length;
  const offline = { ...network, LABELSMITH_CACHE: join(cwd, 'models'), LABELSMITH_OFFLINE: '1' };
  for (const command of [
    ['embed', '--model', 'siglip2-base'],
    ['search', 'a red car at night'],
  ]) {
    const { code, stderr } = await runCli(command, { cwd, env: offline });
    assert.equal(code, 0, stderr);
  }
  assert.equal(hub.requests.length, asked, 'no hub was asked');
});
