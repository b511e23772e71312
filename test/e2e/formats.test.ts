/**
 * Every format through the built command line: exported, imported into an empty workspace, exported again. What a format
 * keeps must be the same in both exports; formats that lose nothing give the same bytes.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ImportedImage, ImportedRegion } from '../../src/core/dataset.ts';
import { NONE_OF_THESE } from '../../src/core/labels.ts';
import { EVERYTHING, type Format, lossesOf } from '../../src/formats/format.ts';
import { Reckoning } from '../../src/formats/reckoning.ts';
import { FORMATS, readFormat } from '../../src/formats/table.ts';
import { runCli, runJson, scratch } from '../cli.ts';
import { jpegScene } from '../fixtures/images.ts';
import { filesUnder } from '../workspace.ts';

const root = mkdtempSync(join(tmpdir(), 'labelsmith-test-'));
after(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));

const said = (name: string, origin: string, task: string, confidence?: number) => ({
  class: name,
  origin,
  task,
  confidence,
});
const id = (n: number) => n.toString(16).padStart(32, '0');

/** Everything there is to say, by file. */
const LABELS: Readonly<Record<string, Record<string, unknown>>> = {
  'day 1/a.jpg': {
    labels: [
      said('outdoors', 'human', 'class'),
      said('dog', 'detector', 'objects', 0.9),
      said('car', 'detector', 'objects', 0.4),
    ],
    regions: [
      {
        id: id(1),
        box: [10, 20.5, 110.25, 170],
        score: 0.9,
        labels: [said('dog', 'detector', 'objects', 0.9)],
        polygons: [
          [10, 20.5, 110.25, 20.5, 110.25, 170],
          [12, 160, 20, 160, 20, 170],
        ],
      },
      {
        id: id(2),
        box: [30, 40, 90, 100],
        labels: [said('car', 'human', 'objects'), said('blue car', 'imported', 'objects', 0.75)],
        touched: true,
      },
      {
        id: id(3),
        box: [-5, 200, 60, 260],
        score: 0.4,
        labels: [said('car', 'detector', 'objects', 0.4)],
        rejected: [{ class: 'dog', task: 'objects' }],
        touched: true,
      },
    ],
    deleted: [
      {
        id: id(4),
        box: [100, 100, 120, 120],
        score: 0.5,
        labels: [said('dog', 'detector', 'objects', 0.5)],
        touched: true,
      },
    ],
    rejected: [{ class: 'car', task: 'class' }],
  },
  'day 1/b.jpg': {
    labels: [said('person', 'model', 'class', 0.625)],
    regions: [
      {
        id: id(5),
        box: [50, 50, 70, 90],
        score: 0.8,
        labels: [said('person', 'detector', 'objects', 0.8)],
        mask: { size: [240, 320], counts: [240 * 50 + 50, 40, 200, 40, 320 * 240 - 240 * 50 - 50 - 280] },
        keypoints: Array.from({ length: 17 }, (_, i) => [50 + i, 60.5 + i, i % 3]),
      },
      {
        id: id(6),
        box: [0, 0, 320, 240],
        labels: [said('person', 'imported', 'objects', 1)],
        crowd: true,
        touched: true,
      },
    ],
  },
  'c.jpg': { labels: [], rejected: [{ class: NONE_OF_THESE, task: 'class' }] },
  'd.jpg': { labels: [] },
};

interface Place {
  readonly dir: string;
}

async function workspaceWithImages(name: string): Promise<Place> {
  const dir = join(root, name);
  for (const [i, file] of Object.keys(LABELS).entries()) {
    const path = join(dir, 'photos', file);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, await jpegScene(320, 240, 700 + i));
  }
  await runJson(['add', 'photos'], { cwd: dir });
  return { dir };
}

async function emptyWorkspace(name: string): Promise<Place> {
  const dir = join(root, name);
  await cp(join(root, 'empty'), dir, { recursive: true });
  return { dir };
}

let first: Place;
before(async () => {
  first = await workspaceWithImages('first');
  // As it is now: images and no labels. Copies of it stand for empty workspaces, which are slow to make.
  await cp(first.dir, join(root, 'empty'), { recursive: true });
  const known = new Map<string, string>();
  await runJson(['export', 'jsonl', 'bare.jsonl', '--unlabelled'], { cwd: first.dir });
  for (const line of (await readFile(join(first.dir, 'bare.jsonl'), 'utf8')).trimEnd().split('\n')) {
    const { file, sha256 } = JSON.parse(line) as { file: string; sha256: string };
    known.set(file, sha256);
  }
  const rows = Object.entries(LABELS).map(([file, row]) => JSON.stringify({ file, sha256: known.get(file), ...row }));
  await writeFile(join(first.dir, 'all.jsonl'), `${rows.join('\n')}\n`);
  const summary = await runJson<{ matched: number; regions: number }>(['import', 'jsonl', 'all.jsonl'], {
    cwd: first.dir,
  });
  assert.deepEqual([summary.matched, summary.regions], [4, 6]);
});

/** What a reader gives of a whole export, in an order that does not depend on ids. */
async function contentOf(format: Format, path: string): Promise<unknown[]> {
  const order = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  const region = ({ labels, where: _, writtenAs: __, ...rest }: ImportedRegion) => ({
    ...rest,
    labels: labels.toSorted(order),
  });
  const image = ({ where: _, labels, regions, ...rest }: ImportedImage) => ({
    ...rest,
    labels: labels.toSorted(order),
    regions: regions.map(region).sort(order),
  });
  const images: unknown[] = [];
  for await (const read of readFormat(format.name, path, { reckoning: new Reckoning() })) images.push(image(read));
  return images.sort(order);
}

const outOf = (format: Format) => (format.kind === 'file' ? `out.${format.name}` : `out-${format.name}`);

for (const format of FORMATS) {
  test(`${format.name}: export, import into an empty workspace, export again`, async () => {
    const out = outOf(format);
    const exported = await runJson<{ images: number; labels: number; loses: string[] }>(
      ['export', format.name, out, '--unlabelled'],
      { cwd: first.dir },
    );
    assert.ok(exported.images > 0 && exported.labels > 0);
    assert.deepEqual(exported.loses, format.loses);
    const second = await emptyWorkspace(`second-${format.name}`);
    const path = join(first.dir, out);
    const imported = await runJson<{ matched: number; unmatched: number }>(['import', format.name, path], {
      cwd: second.dir,
    });
    assert.equal(imported.unmatched, 0);
    await runJson(['export', format.name, out, '--unlabelled'], { cwd: second.dir });
    const again = join(second.dir, out);
    assert.deepEqual(await contentOf(format, again), await contentOf(format, path));

    // Skeletons are of classes, which these labels do not have.
    if (format.loses.length > lossesOf(EVERYTHING).length) return;
    if (format.kind === 'file') assert.equal(await readFile(again, 'utf8'), await readFile(path, 'utf8'));
    else assert.deepEqual(filesUnder(again), filesUnder(path));
  });
}

const PYTHON = '/usr/bin/python3';
const noYaml =
  spawnSync(PYTHON, ['-c', 'import yaml']).status === 0 ? false : `${PYTHON} has no yaml (Debian: python3-yaml)`;
/**
 * Reads YOLO by the formula of docs.ultralytics.com/datasets (x centre, y centre, width, height, then x, y, visible, as
 * shares of the image), VOC with ElementTree, COCO's run lengths column by column from zeros as pycocotools has them.
 */
const READERS = `
import glob, json, os, sys, xml.etree.ElementTree as ET
import yaml
W, H, found = 320, 240, {}
for kind in ["yolo", "yolo-pose"]:
    names = yaml.safe_load(open(f"{kind}/data.yaml"))["names"]
    for path in glob.glob(f"{kind}/labels/**/*.txt", recursive=True):
        for line in open(path):
            c, x, y, w, h, *rest = map(float, line.split())
            box = [(x - w / 2) * W, (y - h / 2) * H, (x + w / 2) * W, (y + h / 2) * H]
            points = [[rest[i] * W, rest[i + 1] * H, rest[i + 2]] for i in range(0, len(rest), 3)]
            found.setdefault(kind, []).append([names[int(c)], box, [p for p in points if p[2] > 0]])
for path in glob.glob("voc/Annotations/**/*.xml", recursive=True):
    for o in ET.parse(path).getroot().iter("object"):
        x1, y1, x2, y2 = [int(o.find(f"bndbox/{k}").text) for k in ("xmin", "ymin", "xmax", "ymax")]
        found.setdefault("voc", []).append([o.find("name").text, [x1 - 1, y1 - 1, x2, y2], []])
coco = json.load(open("coco/annotations.json"))
names = {c["id"]: c["name"] for c in coco["categories"]}
for a in coco["annotations"]:
    x, y, w, h = a["bbox"]
    points = a.get("keypoints", [])
    points = [points[i : i + 3] for i in range(0, len(points), 3)]
    found.setdefault("coco", []).append([names[a["category_id"]], [x, y, x + w, y + h], [p for p in points if p[2] > 0]])
    if isinstance(a["segmentation"], dict) and not a["iscrowd"] or a.get("keypoints"):
        rle, pixels, value = a["segmentation"], [], 0
        for count in rle["counts"]:
            pixels += [value] * count
            value = 1 - value
        rows = rle["size"][0]
        found["mask"] = [len(pixels), sorted({i // rows for i, v in enumerate(pixels) if v}), sorted({i % rows for i, v in enumerate(pixels) if v})]
print(json.dumps(found))`;

test('yolo, yolo-pose, voc, coco: Python reads the boxes, keypoints and mask that went in', {
  skip: noYaml,
}, async (t) => {
  const out = await scratch(t);
  for (const format of ['yolo', 'yolo-pose', 'voc', 'coco']) {
    await runJson(['export', format, join(out, format), '--images', 'none'], { cwd: first.dir });
  }
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-c', READERS], { cwd: out, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  type Row = [name: string, box: number[], keypoints: number[][]];
  const read = JSON.parse(stdout) as Record<string, Row[]> & { mask: unknown };
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  assert.deepEqual(read.mask, [320 * 240, [50, 51], range(50, 90)]);
  const went = Object.values(LABELS).flatMap(
    ({ regions = [] }) => regions as { box: number[]; labels: { class: string }[]; keypoints?: number[][] }[],
  );
  const wanted = went.flatMap(({ box, labels, keypoints = [] }) =>
    labels.map((label): Row => [label.class, box, keypoints.filter((point) => point[2] > 0)]),
  );
  // Boxes are clipped to their image on the way in.
  const clip = (v: number, i: number) => Math.min(Math.max(v, 0), i % 2 ? 240 : 320);
  for (const [format, within, points] of [
    ['yolo', 0.001, false],
    ['yolo-pose', 0.001, true],
    ['voc', 0.5, false],
    ['coco', 0.001, true],
  ] as const) {
    const rows = read[format];
    assert.equal(rows.length, wanted.length, format);
    for (const [name, box, keypoints] of wanted) {
      const near = (a: readonly number[], b: readonly number[]) =>
        a.every((v, i) => Math.abs(v - (b[i] ?? 1e9)) <= within);
      const row = rows.find(([className, own]) => className === name && near(box.map(clip), own));
      assert.ok(row, `${format}: ${name} at ${box} in ${JSON.stringify(rows)}`);
      if (points) assert.ok(near(keypoints.flat(), row[2].flat()), `${format}: keypoints of ${name}`);
    }
  }
});

test('JSON Lines holds region ids, who touched them, deleted regions and what is not there', async () => {
  await runJson(['export', 'jsonl', 'held.jsonl'], { cwd: first.dir });
  const rows = (await readFile(join(first.dir, 'held.jsonl'), 'utf8')).trimEnd().split('\n');
  const byFile = new Map(rows.map((text) => JSON.parse(text)).map((row) => [row.file, row]));
  // An image that nobody said anything of is left out without --unlabelled.
  assert.deepEqual([...byFile.keys()].sort(), ['c.jpg', 'day 1/a.jpg', 'day 1/b.jpg']);
  const { regions, deleted, rejected } = byFile.get('day 1/a.jpg');
  assert.deepEqual(
    regions.map((region: Record<string, unknown>) => [region.id, region.touched ?? false]),
    [
      [id(1), false],
      [id(2), true],
      [id(3), true],
    ],
  );
  assert.deepEqual(regions[2].rejected, [{ class: 'dog', task: 'objects' }]);
  assert.deepEqual([deleted.length, deleted[0].id], [1, id(4)]);
  assert.deepEqual(rejected, [{ class: 'car', task: 'class' }]);
  assert.deepEqual(byFile.get('c.jpg').rejected, [{ class: NONE_OF_THESE, task: 'class' }]);
  assert.equal(byFile.get('day 1/b.jpg').regions[0].keypoints.length, 17);
});

test('a name that cannot be kept refuses the file, and so does --strict for anything; nothing is written', async () => {
  const { dir } = await emptyWorkspace('faulty');
  const good = '{"file":"c.jpg","labels":[{"class":"x"}]}\n';
  await writeFile(join(dir, 'name.jsonl'), `${good}{"file":"d.jpg","labels":[{"class":"${'y'.repeat(300)}"}]}\n`);
  await writeFile(join(dir, 'box.jsonl'), `${good}{"file":"d.jpg","regions":[{"box":[5,"?",1,1],"labels":[]}]}\n`);
  const written = async () => (await runJson<{ labels: object }>(['status'], { cwd: dir })).labels;
  for (const [command, place] of [
    [['import', 'jsonl', 'name.jsonl'], /name\.jsonl:2: the class name "y+…" has 300 characters/],
    [['import', 'jsonl', 'box.jsonl', '--strict'], /box\.jsonl:2 regions\[0\]\.box\[1\]: a finite number was expected/],
  ] as const) {
    const { code, stderr } = await runCli([...command], { cwd: dir });
    assert.equal(code, 1);
    assert.match(stderr, place);
    assert.doesNotMatch(stderr, /\n\s+at /);
    assert.deepEqual(await written(), {});
  }
  const { code, stderr } = await runCli(['import', 'jsonl', 'box.jsonl'], { cwd: dir });
  assert.equal(code, 0);
  assert.match(stderr, /1 object left out: cannot be read\n {2}box\.jsonl:2 regions\[0\]\.box\[1\]/);
  assert.deepEqual(await written(), { imported: 1 });
});

test('an export of only some labels does not delete the others when a person gives it back', async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, 'photos'));
  await writeFile(join(dir, 'photos/a.jpg'), await jpegScene(320, 240, 1));
  await runJson(['add', 'photos'], { cwd: dir });
  const rows = 'file,class,confidence,x1,y1,x2,y2\na.jpg,cat,0.9,10,10,60,60\na.jpg,dog,0.2,100,100,160,160\n';
  await writeFile(join(dir, 'l.csv'), rows);
  await runJson(['import', 'csv', 'l.csv'], { cwd: dir });
  await runJson(['export', 'coco', 'out', '--min-confidence', '0.5'], { cwd: dir });
  // The record has what the export showed: the cat alone.
  const asHuman = ['import', 'coco', 'out', '--as', 'human'];
  await runJson(asHuman, { cwd: dir });
  await runJson(['export', 'csv', 'all.csv'], { cwd: dir });
  const all = await readFile(join(dir, 'all.csv'), 'utf8');
  for (const name of ['cat', 'dog']) assert.ok(all.includes(`,${name},`), all);
  // What the person took out of it is gone; what was never shown to them is there still.
  const file = join(dir, 'out/annotations.json');
  const emptied = { ...JSON.parse(await readFile(file, 'utf8')), annotations: [] };
  await writeFile(file, JSON.stringify(emptied));
  await runJson(asHuman, { cwd: dir });
  await runJson(['export', 'csv', 'less.csv'], { cwd: dir });
  const less = await readFile(join(dir, 'less.csv'), 'utf8');
  assert.match(less, /,dog,/);
  assert.doesNotMatch(less, /,cat,/);
});
