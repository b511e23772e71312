/**
 * A sheet of augmented views of some images: a row an image, first as it is, then weak views, which are what fine-tuning
 * learns from, then what it does not use: strong ones, and mixed with the next row's. To be looked at: a view in which a
 * person cannot tell the class any more teaches the wrong thing.
 */
import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import type { ImageId } from '../../../core/ids.ts';
import { type Random, sampleIndices, seededRandom } from '../../../core/random.ts';
import { requireTask } from '../../../corpus/tasks.ts';
import { LabelsmithError } from '../../../errors.ts';
import { type OutputOptions, writeOutput } from '../../../files/output.ts';
import type { AugmentOptions } from '../../../images/augment.ts';
import { contactSheet } from '../../../images/contact-sheet.ts';
import type { Workspace } from '../../../jobs/workspace.ts';
import { cutInto, mixInto, mixupShare } from '../../../math/training/mixing.ts';
import type { TunableEmbedder } from '../../../models/tuning/tunable-embedder.ts';
import { sidedNames } from './harmless.ts';
import { openImage } from './open-items.ts';
import { viewsOf } from './tuning-set.ts';

export interface PreviewOptions {
  readonly task: string;
  /** Images on the sheet. */
  readonly count: number;
  /** Whether a sheet that is there is replaced. */
  readonly replace: boolean;
  readonly seed: number;
}

export interface PreviewResult extends Required<AugmentOptions> {
  /** Absolute path of the sheet. */
  readonly path: string;
  readonly images: number;
}

const SIDE = 160;
const WEAK = 3;
const STRONG = 3;
const INPUT: TunableEmbedder['input'] = { width: SIDE, height: SIDE, fit: 'cover', pad: [0, 0, 0], kernel: 'linear' };
/** Images that are drawn from, at most. */
const MAX_CANDIDATES = 5000;
const MARK = 'labelsmith teach augment';
/** The task where none is named. */
const BY_DEFAULT = 'class';

/** Writes a JPEG. Labelled images come first, where there are some. */
export async function previewAugmentations(
  workspace: Workspace,
  file: string,
  { task, count, replace, seed }: PreviewOptions,
): Promise<PreviewResult> {
  const { labelled, others, classNames } = await candidates(workspace, task);
  const random = seededRandom(seed, 'augment-preview');
  const changes = sidedNames(classNames);
  const rows: Uint8Array[][] = [];
  for (const id of [...drawn(labelled, 2 * count, random), ...drawn(others, 2 * count, random)]) {
    if (rows.length === count) break;
    const image = await openImage(workspace, id);
    if (!image) continue;
    const made = { views: 1 + WEAK + STRONG, strongViews: STRONG, augment: changes };
    rows.push(await viewsOf(image, { input: INPUT }, made, seededRandom(seed, `view:${id}`)));
  }
  if (rows.length === 0) {
    throw new LabelsmithError('NOT_FOUND', 'There is no image here that can be read.', {
      hint: 'Run labelsmith add FOLDER first.',
    });
  }
  const cells = rows.flatMap((views, i) => [...views, ...mixed(views[0], rows[(i + 1) % rows.length]?.[0], random)]);
  const pictures = await Promise.all(cells.map(encoded));
  const sheet = await contactSheet(pictures, { side: SIDE, columns: 1 + WEAK + STRONG + 2 });
  const to: OutputOptions = {
    kind: 'file',
    what: 'sheet of augmentations',
    signature: { holds: MARK },
    replace,
    protectedPaths: [{ path: workspace.dir, what: 'the workspace' }],
  };
  const path = await writeOutput(file, to, async (target) => {
    const marked = await sharp(sheet)
      .withExif({ IFD0: { ImageDescription: MARK } })
      .jpeg({ quality: 85 })
      .toBuffer();
    await writeFile(target, marked);
  });
  return { path, images: rows.length, ...changes };
}

/** A half of each all over, and a rectangle of the other in the first. */
function mixed(one: Uint8Array | undefined, other: Uint8Array | undefined, random: Random): Uint8Array[] {
  if (!one || !other) return [];
  const [thinned, cut] = [one.slice(), one.slice()];
  // As shares are drawn, but those that show something.
  let share = mixupShare(random);
  if (share < 0.2 || share > 0.8) share = 0.65;
  mixInto(thinned, other, share);
  cutInto(cut, other, [SIDE, SIDE, 3], random);
  return [thinned, cut];
}

function encoded(pixels: Uint8Array): Promise<Uint8Array> {
  return sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

function drawn(ids: readonly ImageId[], count: number, random: Random): readonly ImageId[] {
  return [...sampleIndices(ids.length, count, random)].flatMap((at) => ids[at] ?? []);
}

interface Candidates {
  /** Images that people or an import said something of in the task. */
  readonly labelled: readonly ImageId[];
  readonly others: readonly ImageId[];
  /** That were named, by models too. */
  readonly classNames: readonly string[];
}

async function candidates({ store }: Workspace, task: string): Promise<Candidates> {
  const isKnown = (await store.tasks()).some(({ name }) => name === task);
  // The one that nobody has to name may be without a label yet: there is something to look at all the same.
  if ((isKnown || task !== BY_DEFAULT) && (await requireTask(store, task)).items === 'regions') {
    throw new LabelsmithError('UNSUPPORTED', `The task "${task}" is on regions; the sheet shows whole images.`, {
      hint: 'Name a task on images with --task.',
    });
  }
  const [others, labelled]: [ImageId[], ImageId[]] = [[], []];
  const classNames = new Set<string>();
  for await (const page of store.images()) {
    const labels = isKnown
      ? await store.labelsOf(
          page.map(({ id }) => id),
          task,
        )
      : undefined;
    for (const { id } of page) {
      const said = (labels?.get(id) ?? []).filter(({ origin, present }) => present && origin !== 'cluster');
      for (const { className } of said) classNames.add(className);
      const isLabelled = said.some(({ origin }) => origin === 'human' || origin === 'imported');
      (isLabelled ? labelled : others).push(id);
    }
    if (others.length + labelled.length >= MAX_CANDIDATES) break;
  }
  return { labelled, others, classNames: [...classNames] };
}
