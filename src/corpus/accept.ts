/**
 * From candidates to regions and image labels: the rules that decide which detections are believed. Pure, and cheap
 * beside inference, so changing a threshold never runs the model again.
 */
import { type Box, boxArea, boxAt, type Detections } from '../core/boxes.ts';
import { type ImageId, regionIdOf, sha256Hex } from '../core/ids.ts';
import type { AcceptedRegion } from '../store/store.ts';

/** What a class needs when nothing else was said; a fair balance of misses and false alarms on COCO photographs. */
export const DEFAULT_THRESHOLD = 0.3;

/** How an image's labels follow from its regions. */
export const IMAGE_LABEL_RULES = ['any', 'most-confident', 'largest-area'] as const;
export type ImageLabelRule = (typeof IMAGE_LABEL_RULES)[number];

const LABELS_OF: Readonly<Record<ImageLabelRule, (regions: readonly AcceptedRegion[]) => ImageLabel[]>> = {
  /** Every class with a region; its confidence is that of its best region. */
  any: (regions) => bestPerClass(regions),
  /** Only the class of the most confident region. */
  'most-confident': (regions) => bestPerClass(regions).slice(0, 1),
  /** Only the class of the largest region. */
  'largest-area': (regions) => {
    const largest = regions.reduce<AcceptedRegion | undefined>(
      (best, region) => (best && boxArea(best.box) >= boxArea(region.box) ? best : region),
      undefined,
    );
    return largest ? [{ className: largest.className, confidence: largest.score }] : [];
  },
};

export interface ImageLabel {
  readonly className: string;
  readonly confidence: number;
}

export interface AcceptRules {
  /** Score a region needs, 0.05 to 1, where its class has no threshold of its own. Default 0.3. */
  readonly threshold: number;
  /** Thresholds of single classes, by the class's name in the corpus. */
  readonly classThresholds: Readonly<Record<string, number>>;
  /** Classes to keep; null keeps all. */
  readonly classes: readonly string[] | null;
  /** Model class → corpus class; classes not named keep their own name. */
  readonly mapping: Readonly<Record<string, string>>;
  readonly imageLabels: ImageLabelRule;
}

export const DEFAULT_ACCEPT_RULES: AcceptRules = {
  threshold: DEFAULT_THRESHOLD,
  classThresholds: {},
  classes: null,
  mapping: {},
  imageLabels: 'any',
};

/** Names the rules and the task by content: images accepted under another key are accepted again. */
export function acceptKeyOf(rules: AcceptRules, task: string): string {
  const sorted = (record: Readonly<Record<string, unknown>>) =>
    Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  const content = [
    rules.threshold,
    sorted(rules.classThresholds),
    rules.classes === null ? null : [...rules.classes].sort(),
    sorted(rules.mapping),
    rules.imageLabels,
    task,
  ];
  return sha256Hex(JSON.stringify(content)).slice(0, 16);
}

/** The regions of one image that the rules let through, most confident first, and the labels they give the image. */
export function accept(
  imageId: ImageId,
  modelKey: string,
  candidates: Detections,
  classNames: readonly string[],
  rules: AcceptRules,
): { regions: AcceptedRegion[]; imageLabels: ImageLabel[] } {
  const wanted = rules.classes === null ? null : new Set(rules.classes);
  const regions: AcceptedRegion[] = [];
  for (let i = 0; i < candidates.count; i++) {
    const modelClass = classNames[candidates.classes[i]];
    const className = rules.mapping[modelClass] ?? modelClass;
    const score = candidates.scores[i];
    if (wanted && !wanted.has(className)) continue;
    if (score < (rules.classThresholds[className] ?? rules.threshold)) continue;
    const box: Box = boxAt(candidates, i);
    if (boxArea(box) <= 0) continue;
    regions.push({ id: regionIdOf(imageId, modelKey, className, box, i), box, score, className });
  }
  regions.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
  return { regions, imageLabels: LABELS_OF[rules.imageLabels](regions) };
}

function bestPerClass(regions: readonly AcceptedRegion[]): ImageLabel[] {
  const best = new Map<string, number>();
  for (const { className, score } of regions) best.set(className, Math.max(score, best.get(className) ?? 0));
  return [...best]
    .map(([className, confidence]) => ({ className, confidence }))
    .sort((a, b) => b.confidence - a.confidence || (a.className < b.className ? -1 : 1));
}
