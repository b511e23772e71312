/**
 * `auto`: add, detect, embed, discover, and a classifier where one is given, in one go. Every part does what is missing,
 * so running it again goes on where it was interrupted. The report is made by whoever calls this.
 */
import type { RunOptions } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Quality } from '../../models/choose-embedder.ts';
import type { Source } from '../../sources/source.ts';
import { type AddResult, addTo } from '../add/add.ts';
import type { ClassifyResult } from '../classify/classify.ts';
import { classifyWith } from '../classify/classify-with.ts';
import { type Detected, type DetectRequest, detectWith } from '../detect/detect-with.ts';
import { discoverWith } from '../discover/discover-with.ts';
import { requireEnoughItems } from '../discover/enough-items.ts';
import type { DiscoverResult } from '../discover/options.ts';
import { embedWith } from '../embed/embed-with.ts';
import { type FoundClass, foundClasses, imagesWithObjects, type OwnClasses, ownClasses } from './found.ts';
import { type NextStep, nextSteps } from './next-steps.ts';

/** Fewer images have no clusters that would say anything, so they get them only where somebody asks for a number or a level. */
export const MIN_TO_CLUSTER = 20;

export interface AutoRequest {
  readonly detect: Omit<DetectRequest, 'force' | 'task'>;
  /** Path of a classifier, see `classifierPath`. */
  readonly classifier?: string;
  /** Clusters of whole images. Default: as before here, else what the pile suggests. */
  readonly k?: number | 'auto';
  /** In place of `k`: the level of the tree, 1 the coarsest; the finest there is where the tree has fewer. */
  readonly level?: number;
  /** Of the embedder. Default: that of the workspace, else the best that can be had. */
  readonly quality?: Quality;
}

/** Told as each is done. */
export type AutoPart =
  /** There was something in the workspace before. */
  | { readonly kind: 'again'; readonly images: number }
  | { readonly kind: 'added'; readonly result: AddResult }
  | { readonly kind: 'detected'; readonly result: Detected }
  | { readonly kind: 'discovered'; readonly result: DiscoverResult }
  | { readonly kind: 'not-clustered'; readonly reason: NotClustered }
  | { readonly kind: 'classified'; readonly result: ClassifyResult };

/** Why whole images have no clusters: too few of them, or too few that could be read. */
export interface NotClustered {
  readonly images: number;
  readonly embedded: number;
  readonly least: number;
}

export interface AutoResult {
  readonly interrupted: boolean;
  /** Images in all. */
  readonly images: number;
  readonly added: AddResult;
  readonly detected: Detected | null;
  readonly discovered: DiscoverResult | null;
  readonly notClustered: NotClustered | null;
  readonly classified: ClassifyResult | null;
  /** Images in which no object was found. */
  readonly withoutObjects: number;
  /** The user's own classes, a task each: what a classifier, references or people label here. */
  readonly own: readonly OwnClasses[];
  /** Classes of objects. */
  readonly classes: readonly FoundClass[];
  /** What comes next for this pile. */
  readonly next: readonly NextStep[];
}

export async function autoIn(
  workspace: Workspace,
  sources: readonly Source[],
  request: AutoRequest,
  run: RunOptions & { readonly onPart?: (part: AutoPart) => void },
): Promise<AutoResult> {
  const { store } = workspace;
  const { onPart = () => {}, ...options } = run;
  const stopped = () => options.signal?.aborted ?? false;
  const before = await store.countImages();
  if (before > 0) onPart({ kind: 'again', images: before });
  const added = await addTo(workspace, sources, { ...options, sync: false });
  onPart({ kind: 'added', result: added });
  const images = await store.countImages();
  await requireEnoughItems(store, 'images', request.k);
  let detected: Detected | null = null;
  let clustering: Clustered = { discovered: null, notClustered: null };
  let classified: ClassifyResult | null = null;
  if (images > 0 && !stopped()) {
    detected = await detectWith(workspace, { ...request.detect, force: false, task: 'objects' }, options);
    onPart({ kind: 'detected', result: detected });
    if (!stopped()) {
      clustering = await cluster(workspace, images, request, options);
      const { discovered, notClustered } = clustering;
      if (discovered) onPart({ kind: 'discovered', result: discovered });
      if (notClustered) onPart({ kind: 'not-clustered', reason: notClustered });
    }
    if (request.classifier !== undefined && !stopped()) {
      classified = await classifyWith(workspace, request.classifier, options);
      onPart({ kind: 'classified', result: classified });
    }
  }
  const parts = { images, added, detected, ...clustering, classified };
  const own = await ownClasses(store);
  const next = await nextSteps(store, { ...parts, own });
  const withoutObjects = images - (await imagesWithObjects(store));
  return {
    ...parts,
    interrupted: stopped(),
    withoutObjects,
    own,
    classes: await foundClasses(store, detected?.doubts ?? null),
    next,
  };
}

type Clustered = Pick<AutoResult, 'discovered' | 'notClustered'>;

async function cluster(
  workspace: Workspace,
  images: number,
  { k, level, quality }: Pick<AutoRequest, 'k' | 'level' | 'quality'>,
  run: RunOptions,
): Promise<Clustered> {
  const least = k === undefined && level === undefined ? MIN_TO_CLUSTER : 1;
  const tooFew = (embedded: number) => ({ images, embedded, least });
  if (images < least) return { discovered: null, notClustered: tooFew(0) };
  const items = 'images';
  const embedded = await embedWith(workspace, { items, quality }, run);
  if (run.signal?.aborted) return { discovered: null, notClustered: null };
  const { total } = embedded.counts;
  if (total < least) return { discovered: null, notClustered: tooFew(total) };
  // Which levels there are is known once there is a tree, when all else is done.
  const asked = { items, task: 'class', k, level, finestOtherwise: true } as const;
  return { discovered: await discoverWith(workspace, asked, run), notClustered: null };
}
