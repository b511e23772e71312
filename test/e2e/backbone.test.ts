/**
 * An unworn embedder through the built command line: `auto` takes it from a folder of the user's, names clusters by what its
 * network takes them for, and another embedder later changes nothing that people said.
 */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cacheDirectory, sourcePath } from '../../src/fetch/cache.ts';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import { DATA, MODELS, runCli, runJson, scratch, without } from '../cli.ts';
import { noMobileNetV2 } from '../model-files.ts';

const EACH = 20;
/** What a cluster of each may be called: the thing, or what it is a kind of (WordNet). */
const ACCEPTABLE: Readonly<Record<string, readonly string[]>> = {
  accordion: ['accordion', 'free-reed instrument', 'wind instrument', 'musical instrument'],
  grand_piano: ['grand piano', 'piano', 'keyboard instrument', 'musical instrument'],
  flamingo_head: ['flamingo', 'wading bird', 'aquatic bird', 'bird'],
  chair: ['chair', 'seat', 'furniture'],
};

/** The detector that `auto` runs, and the embedder there was before, from the cache of whoever runs this. */
const OTHERS = ['centernet', 'mobilenetv3-small'];
const otherFiles = CATALOGUE.filter(({ id }) => OTHERS.includes(id)).flatMap(({ source }) =>
  source.files.map(({ sha256 = '' }) => sourcePath(cacheDirectory(), sha256)),
);
const noOthers = otherFiles.every((path) => existsSync(path))
  ? false
  : `not in the model cache: ${OTHERS.join(' or ')}`;

interface Discovered {
  readonly clusters: readonly {
    readonly name: string;
    readonly size: number;
    readonly exemplars: readonly string[];
    readonly candidates: readonly {
      readonly name: string;
      readonly evidence: readonly { readonly source: string }[];
    }[];
  }[];
}

test('auto takes the better embedder, which names clusters; another one later keeps what people said', {
  skip: noMobileNetV2 || noOthers || without('caltech-30'),
}, async (t) => {
  const cwd = await scratch(t);
  mkdirSync(join(cwd, 'photos'));
  const kindOf = new Map<string, string>();
  for (const [k, kind] of Object.keys(ACCEPTABLE).entries()) {
    const files = readdirSync(join(DATA, 'caltech-30', kind)).sort();
    for (const [i, name] of files.slice(0, EACH).entries()) {
      const file = `${(i * 7919 + k * 31_337) % 100_003}.jpg`;
      kindOf.set(file, kind);
      cpSync(join(DATA, 'caltech-30', kind, name), join(cwd, 'photos', file));
    }
  }
  const cache = join(cwd, 'cache');
  mkdirSync(join(cache, 'sources'), { recursive: true });
  for (const path of otherFiles) copyFileSync(path, path.replace(cacheDirectory(), cache));
  const env = {
    LABELSMITH_CACHE: cache,
    LABELSMITH_MODELS: MODELS,
    LABELSMITH_QUALITY: undefined,
    // Nothing but that folder may be asked.
    LABELSMITH_OFFLINE: '1',
  };

  const { code, stderr, stdout } = await runCli(['auto', 'photos'], { cwd, env });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^Embedder: mobilenetv2-12-qdq, the best of those known, by what was measured\.$/m);
  assert.match(stdout, /^ *accordion +\d+ .*votes \d+\/\d+/m);
  const found = await runJson<Discovered>(['discover'], { cwd, env });
  const named = found.clusters.filter(({ name }) => !name.startsWith('unnamed-'));
  assert.ok(named.length >= found.clusters.length / 2, JSON.stringify(found.clusters.map(({ name }) => name)));
  for (const { name, exemplars } of named) {
    const kinds = exemplars.map((path) => kindOf.get(path.split('/').at(-1) ?? '') ?? '');
    const fitting = kinds.filter((kind) => ACCEPTABLE[kind]?.includes(name.replace(/ \d+$/, '')));
    assert.ok(fitting.length > kinds.length / 2, `${name} for ${kinds.join(', ')}`);
  }
  const { embedder } = await runJson<{ embedder: { model: string } }>(['status'], { cwd, env });
  assert.equal(embedder.model, 'mobilenetv2-12-qdq');

  // What people say: a name for a class, and a class of their own for two images.
  await runJson(['corpus', 'rename', 'accordion', 'squeezebox'], { cwd, env });
  const own = [...kindOf].filter(([, kind]) => kind === 'chair').slice(0, 2);
  writeFileSync(join(cwd, 'own.csv'), `file,class\n${own.map(([file]) => `${file},my own`).join('\n')}\n`);
  await runJson(['import', 'csv', 'own.csv', '--as', 'human'], { cwd, env });
  const { because } = await runJson<{ because: string }>(['discover', '--quality', 'fast'], { cwd, env });
  assert.equal(because, 'the vectors are of another model than those before');
  await runJson(['export', 'csv', 'out.csv', '--task', 'class'], { cwd, env });
  const [header = '', ...rows] = readFileSync(join(cwd, 'out.csv'), 'utf8').trimEnd().split('\n');
  const place = (column: string) => header.split(',').indexOf(column);
  const labels = rows
    .map((row) => row.split(','))
    .map((cells) => ['file', 'class', 'origin'].map((c) => cells[place(c)]));
  const humans = labels.filter(([, , origin]) => origin === 'human').map(([file, name]) => [file, name]);
  assert.deepEqual(humans.sort(), own.map(([file]) => [file, 'my own']).sort());
  const squeezed = labels.filter(([, name]) => name === 'squeezebox').map(([file = '']) => kindOf.get(file));
  assert.ok(squeezed.filter((kind) => kind === 'accordion').length >= EACH / 2, `squeezebox: ${squeezed.join(', ')}`);
  // And from now on the workspace keeps that embedder.
  const later = await runCli(['embed'], { cwd, env });
  assert.match(later.stdout, /Nothing to do/);
});
