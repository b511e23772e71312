/**
 * Drift: how the images of the last days differ from those before them, by the times of their files: which share has which
 * class, and which share has none. A pass over the record; memory is a count a class.
 */
import type { ImageRecord } from '../../core/image.ts';
import type { Store } from '../../store/store.ts';

/** Shares of the images that have a class. */
export interface ClassDrift {
  readonly className: string;
  readonly before: number;
  readonly now: number;
}

export interface Drift {
  /** How long ago the newer images begin, in ms. */
  readonly lastMs: number;
  readonly images: { readonly before: number; readonly now: number };
  /** Shares of the images without a class. */
  readonly unfit: { readonly before: number; readonly now: number };
  /** The largest changes first. */
  readonly classes: readonly ClassDrift[];
}

/** Images of one side; without a class under the empty name. */
type Side = Map<string, number>;

/** Shares that change by less are noise. */
const SHOWN = 0.05;
const MAX_SHOWN = 5;
const DAY_MS = 86_400_000;

export async function driftIn(store: Store, task: string, of: { readonly lastMs: number; readonly nowMs: number }) {
  const [before, now]: [Side, Side] = [new Map(), new Map()];
  for await (const page of store.images({})) {
    const ids = page.map(({ id }: ImageRecord) => id);
    const [labels, paths] = await Promise.all([store.labelsOf(ids, task), store.pathsOfImages(ids)]);
    for (const id of ids) {
      // When it first came: a later copy of it is nothing new.
      const cameAtMs = Math.min(...(paths.get(id) ?? []).map(({ modifiedAtMs }) => modifiedAtMs));
      const side = cameAtMs >= of.nowMs - of.lastMs ? now : before;
      const className = labels.get(id)?.find(({ present }) => present)?.className ?? '';
      side.set(className, (side.get(className) ?? 0) + 1);
    }
  }
  return driftOf(before, now, of.lastMs);
}

/** Undefined where one side has no images, so that nothing can be compared. */
export function driftOf(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>, lastMs: number) {
  const [images, named] = [both(before, now, total), both(before, now, (side) => total(side) - unfitIn(side))];
  if (images.before === 0 || images.now === 0) return undefined;
  const share = (count: number, all: number) => (all === 0 ? 0 : count / all);
  const names = [...new Set([...before.keys(), ...now.keys()])].filter((name) => name !== '');
  const classes: ClassDrift[] = names.map((className) => ({
    className,
    before: share(before.get(className) ?? 0, named.before),
    now: share(now.get(className) ?? 0, named.now),
  }));
  const unfit = both(before, now, (side) => share(unfitIn(side), total(side)));
  const drift: Drift = { lastMs, images, unfit, classes: classes.sort(byChange) };
  return drift;
}

/** In words: what changed by more than noise, or that nothing did. */
export function driftLines({ lastMs, images, unfit, classes }: Drift): readonly string[] {
  const head = `Drift: ${images.now} images of the last ${days(lastMs)}, against ${images.before} before`;
  const changes = classes
    .filter((one) => Math.abs(one.now - one.before) >= SHOWN)
    .slice(0, MAX_SHOWN)
    .map(({ className, ...shares }) => `  ${className}: ${change(shares)} of those with a class`);
  if (Math.abs(unfit.now - unfit.before) >= SHOWN) changes.unshift(`  without a class: ${change(unfit)}`);
  return changes.length === 0 ? [`${head}: no share changed by more than 5 points.`] : [`${head}:`, ...changes];
}

function both<T>(
  before: ReadonlyMap<string, number>,
  now: ReadonlyMap<string, number>,
  of: (side: typeof before) => T,
) {
  return { before: of(before), now: of(now) };
}

function total(side: ReadonlyMap<string, number>): number {
  return [...side.values()].reduce((sum, count) => sum + count, 0);
}

function unfitIn(side: ReadonlyMap<string, number>): number {
  return side.get('') ?? 0;
}

function byChange(a: ClassDrift, b: ClassDrift): number {
  return Math.abs(b.now - b.before) - Math.abs(a.now - a.before) || (a.className < b.className ? -1 : 1);
}

function days(ms: number): string {
  const count = Number((ms / DAY_MS).toPrecision(2));
  return count === 1 ? 'day' : `${count} days`;
}

function change({ before, now }: { readonly before: number; readonly now: number }): string {
  return `${Math.round(before * 100)} % before, ${Math.round(now * 100)} % now`;
}
