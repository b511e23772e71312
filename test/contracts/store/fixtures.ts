/** Records and helpers for the store's conformance suite. Everything derives from small numbers, so tests can name it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Box, Detections } from '../../../src/core/boxes.ts';
import type { ImageId, RegionId } from '../../../src/core/ids.ts';
import { regionIdOf, sha256Hex } from '../../../src/core/ids.ts';
import type { ImagePath, ImageRecord } from '../../../src/core/image.ts';
import type { DetectionShard, NewLabel, QuarantineRow, Store, StoredRegion } from '../../../src/store/store.ts';

export interface OpenStoreOptions {
  readonly pageSize?: number;
  readonly busyTimeoutMs?: number;
  readonly leaseMs?: number;
  readonly actor?: string;
}

/** How the suite opens the store under test; a page of few images makes paging show on small data. */
export type OpenStore = (dir: string, options?: OpenStoreOptions) => Promise<Store>;

/** A folder that goes away with the test. */
export function scratch(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-store-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A store in a folder of its own, closed with the test. Three images a page. */
export async function fresh(t: TestContext, open: OpenStore): Promise<Store> {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-store-'));
  const store = await open(dir, { pageSize: 3 });
  t.after(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return store;
}

export const ROOT = '/photos';

export function imageId(n: number): ImageId {
  return sha256Hex(`image ${n}`);
}

/** Ids of images 0 to n − 1 in the order in which the store gives them. */
export function sortedIds(n: number): ImageId[] {
  return Array.from({ length: n }, (_, i) => imageId(i)).sort();
}

export function image(n: number, changes: Partial<ImageRecord> = {}): ImageRecord {
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

export function path(n: number, changes: Partial<ImagePath> = {}): ImagePath {
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

export function quarantined(name: string, changes: Partial<QuarantineRow> = {}): QuarantineRow {
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

export function startRun(store: Store, stage = 'add'): Promise<string> {
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
export async function addImages(store: Store, n: number): Promise<string> {
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

export function detections(list: readonly (readonly [box: Box, score: number, classIndex: number])[]): Detections {
  return {
    count: list.length,
    boxes: Float32Array.from(list.flatMap(([box]) => [...box])),
    scores: Float32Array.from(list.map(([, score]) => score)),
    classes: Int32Array.from(list.map(([, , classIndex]) => classIndex)),
  };
}

export interface Found {
  readonly className: string;
  readonly box: Box;
  readonly score?: number;
}

export function regionOf(image: ImageId, found: Found, model = MODEL): RegionId {
  return regionIdOf(image, model, found.className, found.box);
}

/** A shard as `detect` would commit it: regions for what was found, and each class once on the image. */
export function shard(
  runId: string,
  images: readonly (readonly [id: ImageId, found: readonly Found[]])[],
  changes: Partial<Pick<DetectionShard, 'acceptKey' | 'modelKey' | 'frozenIou' | 'quarantine'>> = {},
): DetectionShard {
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

export function drawn(image: ImageId, box: Box, changes: Partial<StoredRegion> = {}): StoredRegion {
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

export function said(itemId: string, className: string, changes: Partial<NewLabel> = {}): NewLabel {
  return { itemId, task: 'class', className, present: true, origin: 'human', confidence: 1, runId: null, ...changes };
}

export async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}

export async function list<T>(items: AsyncIterable<T>): Promise<T[]> {
  const result: T[] = [];
  for await (const item of items) result.push(item);
  return result;
}
