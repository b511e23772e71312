/** Records and helpers for the store's conformance suite. Everything derives from small numbers, so tests can name it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { regionIdOf, sha256Hex } from '../../../src/core/ids.js';
/** A folder that goes away with the test. */
export function scratch(t) {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-store-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
/** A store in a folder of its own, closed with the test. Three images a page. */
export async function fresh(t, open) {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-store-'));
  const store = await open(dir, { pageSize: 3 });
  t.after(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return store;
}
export const ROOT = '/photos';
export function imageId(n) {
  return sha256Hex(`image ${n}`);
}
/** Ids of images 0 to n − 1 in the order in which the store gives them. */
export function sortedIds(n) {
  return Array.from({ length: n }, (_, i) => imageId(i)).sort();
}
export function image(n, changes = {}) {
  return {
    id: imageId(n),
    byteSize: 1000 + n,
    format: 'jpeg',
    width: 640,
    height: 480,
    orientation: 1,
    frames: 1,
    perceptualHash: sha256Hex(`hash ${n}`).slice(0, 16),
    quality: { brightness: 0.1 + 0.2, sharpness: 123.456 + n, entropy: 7.25 },
    flags: [],
    capturedAtMs: null,
    camera: null,
    groupId: imageId(n),
    ...changes,
  };
}
export function path(n, changes = {}) {
  return {
    imageId: imageId(n),
    path: `${ROOT}/${String(n).padStart(4, '0')}.jpg`,
    pathBytes: null,
    sourceRoot: ROOT,
    byteSize: 1000 + n,
    modifiedAtMs: 1_700_000_000_000.25 + n,
    missing: false,
    ...changes,
  };
}
export function quarantined(name, changes = {}) {
  return {
    path: `${ROOT}/${name}`,
    sourceRoot: ROOT,
    reason: 'truncated',
    message: 'The file ends early',
    byteSize: 10,
    modifiedAtMs: 5.5,
    stage: 'add',
    ...changes,
  };
}
export function startRun(store, stage = 'add') {
  return store.startRun({
    stage,
    settings: { threshold: 0.3 },
    modelKey: null,
    seed: 7,
    threads: 2,
    versions: { labelsmith: '0.1.0' },
  });
}
/** Images 0 to n − 1 with one path each. */
export async function addImages(store, n) {
  const runId = await startRun(store);
  const numbers = Array.from({ length: n }, (_, i) => i);
  await store.commitIngest({
    runId,
    images: numbers.map((i) => image(i)),
    paths: numbers.map((i) => path(i)),
    quarantine: [],
  });
  return runId;
}
export const MODEL = 'npm:detector@1';
export const CLASSES = ['person', 'dog', 'car'];
export function detections(list) {
  return {
    count: list.length,
    boxes: Float32Array.from(list.flatMap(([box]) => [...box])),
    scores: Float32Array.from(list.map(([, score]) => score)),
    classes: Int32Array.from(list.map(([, , classIndex]) => classIndex)),
  };
}
export function regionOf(image, found, model = MODEL) {
  return regionIdOf(image, model, found.className, found.box);
}
/** A shard as `detect` would commit it: regions for what was found, and each class once on the image. */
export function shard(runId, images, changes = {}) {
  const modelKey = changes.modelKey ?? MODEL;
  return {
    runId,
    modelKey,
    acceptKey: 'threshold .3',
    task: 'objects',
    classNames: CLASSES,
    frozenIou: 0.5,
    quarantine: [],
    ...changes,
    images: images.map(([id, found]) => ({
      imageId: id,
      candidates: detections(found.map((f) => [f.box, f.score ?? 0.5, Math.max(0, CLASSES.indexOf(f.className))])),
      regions: found.map((f) => ({
        id: regionOf(id, f, modelKey),
        box: f.box,
        score: f.score ?? 0.5,
        className: f.className,
      })),
      imageLabels: [...new Set(found.map((f) => f.className))].map((className) => ({ className, confidence: 0.5 })),
    })),
  };
}
export function drawn(image, box, changes = {}) {
  return {
    id: regionIdOf(image, 'human', '', box),
    imageId: image,
    box,
    score: null,
    modelKey: null,
    runId: null,
    touched: true,
    deleted: false,
    keypoints: null,
    mask: null,
    polygons: null,
    crowd: false,
    ...changes,
  };
}
export function said(itemId, className, changes = {}) {
  return { itemId, task: 'class', className, present: true, origin: 'human', confidence: 1, runId: null, ...changes };
}
export async function all(pages) {
  const items = [];
  for await (const page of pages) items.push(...page);
  return items;
}
export async function list(items) {
  const result = [];
  for await (const item of items) result.push(item);
  return result;
}
