/**
 * `match` on caltech-30 with 5 random references a class, three seeds: accuracy on all other images, on the 80 % it is
 * surest of, and with 10 of the classes left without references, how well known and unknown images are told apart.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '../src/core/ids.ts';
import { seededRandom, shuffled } from '../src/core/random.ts';
import { openWorkspace, type Workspace } from '../src/jobs/workspace.ts';
import { auroc } from '../src/math/metrics/ranking.ts';
import { openEmbedder } from '../src/models/embedder.ts';
import { addTo } from '../src/stages/add/add.ts';
import { openSources } from '../src/stages/add/open-sources.ts';
import { embedIn } from '../src/stages/embed/embed.ts';
import { matchIn } from '../src/stages/match/match.ts';
import { dataSet } from './photos.ts';
import { inScratch, rounded } from './process.ts';

const REFERENCES = 5;
const SEEDS = [1, 2, 3];
const UNKNOWN_CLASSES = 10;
const THREADS = availableParallelism();

interface Judged {
  readonly right: boolean;
  readonly confidence: number;
  readonly cosine: number;
  readonly accepted: boolean;
  readonly known: boolean;
}

export function run(): Promise<unknown> {
  const set = dataSet('caltech-30');
  return inScratch(async (dir) => {
    const workspace = await openWorkspace(join(dir, '.labelsmith'), { create: true });
    try {
      const options = { seed: 0, threads: THREADS };
      await addTo(workspace, await openSources(workspace, [set]), { ...options, sync: false });
      const embedder = await openEmbedder('mobilenetv3-small', { threads: THREADS });
      await embedIn(workspace, embedder, options);
      await embedder.close();
      const classes = readdirSync(set).sort();
      const seeds: (ReturnType<typeof accuracies> & ReturnType<typeof openSet>)[] = [];
      for (const seed of SEEDS) {
        const all = await judge(workspace, set, join(dir, 'references'), classes, seed);
        const known = shuffled(classes, seededRandom(seed, 'unknown')).slice(UNKNOWN_CLASSES).sort();
        seeds.push({
          ...accuracies(all),
          ...openSet(await judge(workspace, set, join(dir, 'references'), known, seed)),
        });
      }
      const mean = (pick: (row: (typeof seeds)[number]) => number) =>
        rounded(seeds.reduce((sum, row) => sum + pick(row), 0) / seeds.length);
      return {
        references: REFERENCES,
        seeds: SEEDS.length,
        accuracy: mean((row) => row.accuracy),
        accuracyAt80: mean((row) => row.accuracyAt80),
        unknownClasses: UNKNOWN_CLASSES,
        auroc: mean((row) => row.auroc),
        atDefaultThreshold: {
          knownAccepted: mean((row) => row.knownAccepted),
          unknownAccepted: mean((row) => row.unknownAccepted),
        },
      };
    } finally {
      await workspace.close();
    }
  });
}

/** Matches with random references of these classes and judges every image that is not a reference. */
async function judge(
  workspace: Workspace,
  set: string,
  folder: string,
  classes: readonly string[],
  seed: number,
): Promise<Judged[]> {
  rmSync(folder, { recursive: true, force: true });
  const truth = new Map<string, string>();
  const references = new Set<string>();
  for (const name of readdirSync(set).sort()) {
    const files = readdirSync(join(set, name)).sort();
    const chosen = shuffled(files, seededRandom(seed, name)).slice(0, classes.includes(name) ? REFERENCES : 0);
    if (chosen.length > 0) mkdirSync(join(folder, name), { recursive: true });
    for (const file of files) {
      const id = sha256Hex(readFileSync(join(set, name, file)));
      truth.set(id, name);
      if (!chosen.includes(file)) continue;
      references.add(id);
      symlinkSync(join(set, name, file), join(folder, name, file));
    }
  }
  const judged: Judged[] = [];
  const [source] = await openSources(workspace, [folder]);
  if (!source) throw new Error('no source');
  await matchIn(workspace, source, {
    seed: 0,
    threads: THREADS,
    task: 'class',
    replace: true,
    onMatched(id, className, { confidence, cosine, accepted }) {
      const name = truth.get(id);
      if (name === undefined || references.has(id)) return;
      judged.push({ right: name === className, confidence, cosine, accepted, known: classes.includes(name) });
    },
  });
  return judged;
}

function accuracies(judged: readonly Judged[]) {
  const share = (items: readonly Judged[]) => items.filter(({ right }) => right).length / items.length;
  const surest = [...judged].sort((a, b) => b.confidence - a.confidence).slice(0, Math.round(0.8 * judged.length));
  return { accuracy: share(judged), accuracyAt80: share(surest) };
}

function openSet(judged: readonly Judged[]) {
  const accepted = (known: boolean) => {
    const those = judged.filter((item) => item.known === known);
    return those.filter((item) => item.accepted).length / those.length;
  };
  return {
    auroc: auroc(
      judged.map(({ known }) => Number(known)),
      judged.map(({ cosine }) => cosine),
    ) as number,
    knownAccepted: accepted(true),
    unknownAccepted: accepted(false),
  };
}
