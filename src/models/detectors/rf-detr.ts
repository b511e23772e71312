/**
 * RF-DETR (Robinson et al. 2025, arXiv 2511.09554) as its own package exports it: `dets` [1, queries, 4] and `labels` [1, queries,
 * numbers], logits, read as `rfdetr.export` reads them.
 */
import { COCO_NAMES } from '../../core/coco-classes.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from '../backbones.ts';
import type { DetectorEntry, InputSpec } from '../bundle.ts';
import { namedColumns } from '../hub/class-names.ts';

export const RF_DETR_OUTPUTS = { boxes: 'dets', logits: 'labels' } as const;

export function isRfDetr(outputs: readonly string[]): boolean {
  return Object.values(RF_DETR_OUTPUTS).every((name) => outputs.includes(name));
}

/** Pixels are scaled, sampled without averaging and normalised, as its `predict` does it. */
export const RF_DETR_INPUT: Omit<InputSpec, 'name' | 'width' | 'height' | 'layout' | 'dtype'> = {
  fit: 'cover',
  pad: [0, 0, 0],
  kernel: 'cubic',
  colours: 'RGB',
  pillow: { resample: 'bilinear', size: { kind: 'sampled' } },
  scale: 1 / 255,
  mean: IMAGENET_MEAN,
  std: IMAGENET_STD,
};

/**
 * Which of its numbers is which class. Networks of its publisher have COCO's official numbers; those that somebody trained have
 * their classes one after the other, and the last number for nothing.
 *
 * @param count of the network's numbers. @returns undefined where the names do not fit
 */
export function rfDetrClasses(
  count: number,
  given: readonly string[] | undefined,
): Pick<DetectorEntry, 'classNames' | 'decoder'> | undefined {
  const found = given
    ? [count, count - 1].includes(given.length) && { names: given, columns: given.map((_, i) => i) }
    : namedColumns(Object.fromEntries(COCO_NAMES.map((name, i) => [i, name])), count);
  if (!found) return undefined;
  const { columns } = found;
  const values = { kind: 'detr', ...RF_DETR_OUTPUTS, activation: 'sigmoid' } as const;
  return { classNames: found.names, decoder: { ...values, ...(columns ? { columns } : {}) } };
}
