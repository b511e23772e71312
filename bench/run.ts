/**
 * Benchmarks against peers and limits. Each prints one JSON document; times are only compared within one run.
 *
 *     npm run bench              detection, ingest, memory, detection quality
 *     npm run bench -- NAME…     these; the accuracy of the other ways to a label takes minutes each
 */
const BENCHES: Readonly<Record<string, () => Promise<{ run(): Promise<unknown> }>>> = {
  detect: () => import('./detect.ts'),
  add: () => import('./add.ts'),
  memory: () => import('./memory.ts'),
  quality: () => import('./quality.ts'),
  embed: () => import('./embed.ts'),
  discover: () => import('./discover.ts'),
  'discover-scale': () => import('./discover-scale.ts'),
  match: () => import('./match.ts'),
  kmeans: () => import('./kmeans.ts'),
  knn: () => import('./knn.ts'),
  million: () => import('./million.ts'),
  items: () => import('./items.ts'),
  review: () => import('./review.ts'),
  'hundred-thousand': () => import('./hundred-thousand.ts'),
  teach: () => import('./teach.ts'),
  'fine-tune': () => import('./fine-tune.ts'),
  'fine-tune-parts': () => import('./fine-tune-parts.ts'),
  'fine-tune-memory': () => import('./fine-tune-memory.ts'),
  families: () => import('./families.ts'),
  'training-memory': () => import('./training-memory.ts'),
  'training-step': () => import('./training-step.ts'),
  'detector-classes': () => import('./detector-classes.ts'),
  masks: () => import('./masks.ts'),
  tiles: () => import('./tiles.ts'),
  pose: () => import('./pose.ts'),
  'teach-select': () => import('./teach-select.ts'),
  'open-set': () => import('./open-set.ts'),
  honesty: () => import('./honesty.ts'),
  'teach-scale': () => import('./teach-scale.ts'),
  'teach-sums': () => import('./teach-sums.ts'),
  backbones: () => import('./backbones.ts'),
  calibrate: () => import('./calibrate.ts'),
  piles: () => import('./piles.ts'),
  'few-images': () => import('./few-images.ts'),
  'one-class': () => import('./one-class.ts'),
  adaptation: () => import('./adaptation.ts'),
  views: () => import('./views.ts'),
  nuisance: () => import('./nuisance.ts'),
  copies: () => import('./copies.ts'),
  doubt: () => import('./doubt.ts'),
  report: () => import('./report.ts'),
  fleet: () => import('./fleet.ts'),
  'fleet-simulation': () => import('./fleet-simulation.ts'),
  'fleet-million': () => import('./fleet-million.ts'),
  'fleet-overhead': () => import('./fleet-overhead.ts'),
  hub: () => import('./hub.ts'),
  words: () => import('./words.ts'),
  push: () => import('./push.ts'),
  watch: () => import('./watch.ts'),
  edge: () => import('./edge.ts'),
};

/** What is measured when nothing is named. */
const BY_DEFAULT = ['detect', 'add', 'memory', 'quality'];

const named = process.argv.slice(2);
const unknown = named.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  process.stderr.write(`no benchmark called ${unknown.join(', ')}; there are: ${Object.keys(BENCHES).join(', ')}\n`);
  process.exit(2);
}

const results: Record<string, unknown> = {};
for (const name of named.length > 0 ? named : BY_DEFAULT) {
  process.stderr.write(`${name}…\n`);
  const { run } = await BENCHES[name]();
  results[name] = await run();
}
process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
