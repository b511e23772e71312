/**
 * Peak resident memory of `teach rounds --fine-tune all` where every one of many images is labelled, which is what it holds
 * most for: a view of each is resident at 224 pixels, 150 kB. Pictures are made up, of ten kinds; the limit is 4 GiB for 10,000.
 *
 * Nothing ends the training early unless LABELSMITH_BENCH_BUDGET does; where it was not trained to its end, that is said and no
 * figure of it is printed. LABELSMITH_BENCH_IMAGES is another number.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { inLanes } from '../src/core/lanes.ts';
import { seededRandom } from '../src/core/random.ts';
import { inScratch, labelsmith, rounded } from './process.ts';

const IMAGES = Number(process.env.LABELSMITH_BENCH_IMAGES ?? 10_000);
const BUDGET = process.env.LABELSMITH_BENCH_BUDGET;
const CLASSES = 10;
const SIDE = 48;
const LIMIT_BYTES = 4 * 2 ** 30;

interface Taught {
  /** What was cross-validated, and with which depth of training. */
  readonly steps: readonly { readonly fineTuned?: string }[];
  readonly warnings: readonly string[];
}

export function run(): Promise<unknown> {
  return inScratch(async (dir) => {
    await drawn(join(dir, 'photos'));
    await labelsmith(['add', 'photos'], dir);
    await labelsmith(['import', 'folders', 'photos', '--as', 'human', '--task', 'class'], dir);
    await labelsmith(['embed', '--model', 'mobilenetv3-small'], dir);
    const limit = BUDGET === undefined ? [] : ['--budget', BUDGET];
    const frozen = await labelsmith(['teach', 'rounds', ...limit], dir);
    const tuned = await labelsmith(['teach', 'rounds', '--fine-tune', 'all', ...limit], dir);
    const { steps, warnings } = JSON.parse(tuned.stdout) as Taught;
    const isTrained = steps.some(({ fineTuned }) => fineTuned === 'all');
    return {
      images: IMAGES,
      budget: BUDGET ?? null,
      frozen: { peakMB: rounded(frozen.peakBytes / 1e6, 0), seconds: rounded(frozen.seconds, 0) },
      fineTuned: isTrained
        ? {
            peakMB: rounded(tuned.peakBytes / 1e6, 0),
            seconds: rounded(tuned.seconds, 0),
            ofFourGiB: rounded(tuned.peakBytes / LIMIT_BYTES, 2),
          }
        : { notMeasured: 'the whole network was not trained to its end' },
      warnings,
    };
  });
}

/** Stripes of a colour, thickness and direction for each class, none like another. */
async function drawn(folder: string): Promise<void> {
  for (let c = 0; c < CLASSES; c++) await mkdir(join(folder, `kind-${c}`), { recursive: true });
  await inLanes(Array.from({ length: IMAGES }).keys(), 4, async (image) => {
    const random = seededRandom(image, 'fine-tune-memory');
    const kind = image % CLASSES;
    const pixels = new Uint8Array(SIDE * SIDE * 3);
    const [thickness, phase] = [2 + (kind >> 1), SIDE * random()];
    const light = [0, 1, 2].map(() => 40 + 160 * random());
    for (let at = 0; at < pixels.length; at++) {
      const place = Math.floor(at / 3);
      const along = kind % 2 === 0 ? place % SIDE : Math.floor(place / SIDE);
      const bright = Math.floor((along + phase) / thickness) % 2 === 0;
      pixels[at] = (light[at % 3] ?? 0) * (bright ? 1 : 0.4) + 40 * random();
    }
    await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
      .jpeg({ quality: 80 })
      .toFile(join(folder, `kind-${kind}`, `${image}.jpg`));
  });
}
