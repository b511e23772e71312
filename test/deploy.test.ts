/** What `deploy/` says to run is what there is: commands, options, labels that name each other, files that documents name. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { Secret } from 'kubernetes-models/v1/Secret';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { GLOBAL_OPTIONS } from '../src/cli/command.ts';
import { allCommands } from '../src/cli/commands/table.ts';
import { CATALOGUE } from '../src/models/catalogue.ts';

const FILES = globSync('deploy/**/*').filter((file) => /\.\w+$|Containerfile$/.test(file));

const NAMED = z.looseObject({ name: z.string() });
const CONTAINER = z.looseObject({ args: z.array(z.string()), volumeMounts: z.array(NAMED).default([]) });
const TEMPLATE = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }).optional(),
  spec: z.looseObject({ containers: z.array(CONTAINER), volumes: z.array(NAMED).default([]) }),
});
const MANIFEST = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: NAMED,
  spec: z
    .looseObject({ selector: z.looseObject({ matchLabels: z.unknown() }).optional(), template: TEMPLATE })
    .optional(),
});
const SERVICE = z.looseObject({
  entrypoint: z.array(z.string()).default([]),
  command: z.array(z.string()).default([]),
});
const COMPOSE = z.looseObject({ services: z.looseObject({ setup: SERVICE, worker: SERVICE }) });

function documentsIn(file: string): unknown[] {
  return parseAllDocuments(readFileSync(file, 'utf8'), { merge: true }).map((document) => {
    assert.deepEqual(document.errors, [], file);
    return document.toJS();
  });
}

async function refuseUnknown(words: readonly string[], where: string): Promise<void> {
  const commands = await allCommands();
  const command = commands.find(({ name }) => words.includes(name));
  assert.ok(command, `${where}: ${words.join(' ')} names a command`);
  const known = [GLOBAL_OPTIONS, command.options].flatMap((table) => Object.values(table).map(({ flags }) => flags));
  for (const word of words.filter((one) => one.startsWith('-'))) {
    assert.ok(
      known.some((flags) => flags.split(/[ ,]+/).includes(word)),
      `${where}: ${command.name} has no option ${word}`,
    );
  }
}

test('manifests of Kubernetes are whole, and what they run is there', async () => {
  const files = FILES.filter((file) => file.includes('kubernetes'));
  assert.ok(files.length >= 3);
  for (const file of files) {
    for (const { kind, spec } of documentsIn(file).map((document) => MANIFEST.parse(document))) {
      if (spec === undefined) continue;
      const { template, selector } = spec;
      if (kind === 'Deployment') assert.deepEqual(selector?.matchLabels, template.metadata?.labels, file);
      for (const { args, volumeMounts } of template.spec.containers) {
        await refuseUnknown(args, file);
        for (const { name } of volumeMounts) {
          assert.ok(
            template.spec.volumes.some((volume) => volume.name === name),
            `${file}: ${name}`,
          );
        }
      }
    }
  }
});

/** By the schemas of Kubernetes' own OpenAPI document, as `kubernetes-models` has them compiled. */
const KINDS = { Deployment, Job, Secret };

test('manifests are those that Kubernetes takes', () => {
  for (const file of FILES.filter((one) => one.includes('kubernetes'))) {
    for (const document of documentsIn(file)) {
      const { kind } = MANIFEST.parse(document);
      assert.ok(kind === 'Deployment' || kind === 'Job' || kind === 'Secret', `${file}: ${kind}`);
      assert.doesNotThrow(() => validated(kind, document), `${file}, ${kind}`);
    }
  }
  const wrong = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'x' }, spec: { completions: 'four' } };
  assert.throws(() => validated('Job', wrong), /completions|template/);
});

/** Types and what has to be there; a field that Kubernetes does not know passes. */
function validated(kind: keyof typeof KINDS, document: unknown): void {
  const of = KINDS[kind];
  new of(document as never).validate();
}

test('models that are named are in the catalogue', () => {
  const [, named = ''] = /MODELS="(.+?)"/.exec(readFileSync('deploy/Containerfile', 'utf8')) ?? [];
  const unknown = named.split(' ').filter((name) => CATALOGUE.every(({ id }) => id !== name));
  assert.deepEqual(unknown, []);
});

test('the compose file, the unit and the script run commands that there are', async () => {
  const [compose] = documentsIn('deploy/compose.yaml').map((document) => COMPOSE.parse(document));
  assert.ok(compose);
  for (const name of ['setup', 'worker'] as const) {
    const { entrypoint, command } = compose.services[name];
    await refuseUnknown([...entrypoint, ...command], `compose.yaml, ${name}`);
  }
  for (const file of FILES.filter((one) => /\.service$|workers\.sbatch$/.test(one))) {
    const line = /labelsmith (worker .*)/.exec(readFileSync(file, 'utf8').replaceAll(/^#.*$/gm, ''))?.[1] ?? '';
    await refuseUnknown(line.split(/\s+/), file);
  }
  for (const file of FILES.filter((one) => one.endsWith('.sbatch'))) {
    const script = spawnSync('bash', ['-n', file], { encoding: 'utf8' });
    assert.deepEqual([script.status, script.stderr], [0, ''], file);
  }
  const array = readFileSync('deploy/slurm/shards.sbatch', 'utf8').match(/--[a-z-]+(?= "\$)/g) ?? [];
  assert.equal(array.length, 3);
  for (const stage of ['add', 'detect', 'embed']) await refuseUnknown([stage, ...array], 'shards.sbatch');
});
