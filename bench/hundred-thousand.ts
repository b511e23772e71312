/**
 * A hundred thousand JPEGs through the built command line: `add`, `embed`, `discover`, `report`, with the time and the peak
 * memory of each. The photographs are those of caltech-30, again and again, each copy with other bytes: the pixels repeat, so
 * every picture has some 70 near-duplicates, which is more than any real pile has. Written by the benchmark, and gone after it.
 *
 *     node bench/hundred-thousand.ts [PHOTOGRAPHS]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { dataSet, withComment } from './photos.ts';
import { inScratch, labelsmith, rounded } from './process.ts';

const A_FOLDER = 1000;

export function run(photographs = 100_000): Promise<unknown> {
  return inScratch(async (dir) => {
    const bytes = await writePhotographs(join(dir, 'photos'), photographs);
    const steps: Record<string, { seconds: number; imagesPerSecond: number; peakMiB: number }> = {};
    let told: Record<string, unknown> = {};
    const commands = { add: ['add', 'photos'], embed: ['embed'], discover: ['discover'], report: ['report', 'r.html'] };
    for (const [name, args] of Object.entries(commands)) {
      process.stderr.write(`${name}…\n`);
      const { seconds, peakBytes, stdout } = await labelsmith(args, dir);
      if (name === 'discover') told = JSON.parse(stdout) as Record<string, unknown>;
      steps[name] = {
        seconds: rounded(seconds, 1),
        imagesPerSecond: rounded(photographs / seconds, 1),
        peakMiB: Math.round(peakBytes / 2 ** 20),
      };
      process.stderr.write(`  ${JSON.stringify(steps[name])}\n`);
    }
    const { levels, assigned, none } = told;
    return {
      photographs,
      megabytes: Math.round(bytes / 1e6),
      cores: availableParallelism(),
      steps,
      discover: { clusters: (told.clusters as unknown[]).length, levels, assigned, none },
      reportMegabytes: rounded((await stat(join(dir, 'r.html'))).size / 1e6, 1),
      recordMegabytes: rounded((await stat(join(dir, '.labelsmith', 'labelsmith.sqlite'))).size / 1e6, 1),
    };
  });
}

async function writePhotographs(out: string, count: number): Promise<number> {
  const set = dataSet('caltech-30');
  const originals = readdirSync(set, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.jpg'))
    .sort()
    .map((path) => readFileSync(join(set, path)));
  let total = 0;
  for (let i = 0; i < count; i++) {
    const folder = join(out, String(Math.floor(i / A_FOLDER)).padStart(4, '0'));
    if (i % A_FOLDER === 0) await mkdir(folder, { recursive: true });
    const bytes = withComment(originals[i % originals.length], `copy ${i}`);
    await writeFile(join(folder, `${String(i).padStart(7, '0')}.jpg`), bytes);
    total += bytes.length;
  }
  return total;
}

if (import.meta.main) {
  const [, , photographs] = process.argv;
  process.stdout.write(
    `${JSON.stringify(await run(photographs === undefined ? undefined : Number(photographs)), null, 2)}\n`,
  );
}
