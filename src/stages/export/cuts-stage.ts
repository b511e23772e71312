/**
 * Where an export is cut into shards, and what it names, by all machines: each part goes over the images whose ids begin with one
 * byte of so many, and gives the ids of those that go in. They are put together in the order of the ids, so that the cuts are those
 * that one machine makes.
 */
import type { ImageId } from '../../core/ids.ts';
import { formatNamed } from '../../formats/table.ts';
import { type Merging, reduce, reductionStage } from '../../jobs/reduction.ts';
import type { StageJob } from '../../jobs/stage.ts';
import type { ImageRange } from '../../store/store.ts';
import { SPREAD_FROM } from '../vector-shard.ts';
import { openSelection, RANGE, SELECTION_SETTINGS, type SelectionSettings } from './export-stage.ts';
import { Selection, type SelectionOf } from './selection.ts';
import { NamesSeen, type SeenNames } from './used.ts';
import { isWritten } from './write.ts';

/** Of ten million images 160,000 each. */
const PARTS = 64;
const ID_BYTES = 32;

interface PartOfCuts {
  readonly names: SeenNames;
  /** Ids of the images that go in, 32 bytes each, in order. */
  readonly ids: Uint8Array;
}

interface CutsContext extends Merging<PartOfCuts> {
  readonly settings: SelectionSettings;
  readonly of: SelectionOf;
  readonly isFew?: boolean;
}

export const cutsStage = reductionStage<SelectionSettings, CutsContext, ImageRange, PartOfCuts>({
  name: 'export-cuts',
  // Labels of the same images may be others by then.
  isKept: false,
  within: 'export',
  settings: SELECTION_SETTINGS,
  shard: RANGE,
  isQuick: ({ isFew = false }) => isFew,

  async open({ workspace, settings }) {
    const { of } = await openSelection(workspace, settings);
    return { settings, of };
  },

  total: async ({ isFew = false }) => (isFew ? 1 : PARTS),

  async *plan({ isFew = false }) {
    if (isFew) {
      yield { after: null, upTo: null };
      return;
    }
    let after: ImageId | null = null;
    for (let part = 1; part <= PARTS; part++) {
      const last = ((256 * part) / PARTS - 1).toString(16).padStart(2, '0');
      const upTo: ImageId | null = part < PARTS ? last.padEnd(2 * ID_BYTES, 'f') : null;
      yield { after, upTo };
      after = upTo;
    }
  },

  async map({ settings, of }, range) {
    const names = new NamesSeen();
    const format = formatNamed(settings.format);
    const unlabelled = settings.background !== 'none';
    const ids: Buffer[] = [];
    const images = new Selection(of).images(range, (image) => names.see(image, of.owners));
    for await (const image of images) {
      if (isWritten(image, format, { unlabelled })) ids.push(Buffer.from(image.id, 'hex'));
    }
    const { used, splits, disowned, labelledTasks, keypointCount } = names;
    return { names: { used, splits, disowned, labelledTasks, keypointCount }, ids: Buffer.concat(ids) };
  },
});

export interface Cuts {
  readonly names: NamesSeen;
  /** That go in. */
  readonly images: number;
  /** Ids of the last image of each shard but the last one. */
  readonly ends: readonly ImageId[];
}

/** @param of as this process has it. @param spreadFrom images from which other processes take part, default 100,000 */
export async function cutsOf(
  job: Omit<StageJob<unknown>, 'settings'>,
  settings: SelectionSettings,
  of: SelectionOf,
  { shardSize, images, spreadFrom = SPREAD_FROM }: CutOptions,
): Promise<Cuts> {
  const names = new NamesSeen();
  const ends: ImageId[] = [];
  let before = 0;
  let last: ImageId | undefined;
  const merge = ({ names: own, ids }: PartOfCuts) => {
    names.merge(own);
    const bytes = Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength);
    for (let at = 0; at < bytes.length; at += ID_BYTES) {
      if (before > 0 && before % shardSize === 0 && last !== undefined) ends.push(last);
      last = bytes.toString('hex', at, at + ID_BYTES);
      before++;
    }
  };
  await reduce(cutsStage, { ...job, settings }, { settings, of, merge, isFew: images < spreadFrom });
  return { names, images: before, ends };
}

interface CutOptions {
  /** Images in a shard. */
  readonly shardSize: number;
  /** In the workspace. */
  readonly images: number;
  readonly spreadFrom?: number;
}
