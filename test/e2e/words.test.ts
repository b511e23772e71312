/** Words, through the built command line with a pair of networks of random weights: what is right is what Python made of them. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { z } from 'zod';
import { runCli, scratch } from '../cli.ts';

const FOLDER = resolve(import.meta.dirname, '../fixtures/hub');
const EXPECTED = z
  .object({ embeddings: z.record(z.string(), z.array(z.number())), texts: z.record(z.string(), z.array(z.number())) })
  .parse(JSON.parse(readFileSync(join(FOLDER, 'clip/expected.json'), 'utf8')));

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

const CANDIDATE = z.object({ name: z.string(), evidence: z.array(z.object({ source: z.string() })) });
const SEARCH = z.object({
  found: z.array(z.object({ path: z.string(), similarity: z.number(), standsOut: z.number() })),
});

test('a model of the hub from a folder, embed, search and match by words', async (t) => {
  const cwd = await scratch(t);
  const env = { LABELSMITH_CACHE: join(cwd, 'cache') };
  const run = async (args: readonly string[], code = 0) => {
    const result = await runCli(args, { cwd, env });
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
    return result;
  };
  mkdirSync(join(cwd, 'photos'));
  for (const name of Object.keys(EXPECTED.embeddings)) cpSync(join(FOLDER, name), join(cwd, 'photos', name));
  const imported = await run(['models', 'import', join(FOLDER, 'clip'), '--name', 'tiny', '--licence', 'MIT']);
  assert.match(imported.stdout, /Imported tiny: embedder, 48 × 48, licence MIT/);
  await run(['add', 'photos']);
  await run(['embed', '--model', 'tiny']);

  const words = 'a red car at night';
  const { found } = SEARCH.parse(JSON.parse((await run(['search', ...words.split(' '), '--json'])).stdout));
  assert.equal(found.length, 2);
  for (const { path, similarity } of found) {
    const name = path.endsWith('landscape.jpg') ? 'landscape.jpg' : 'portrait.jpg';
    const expected = cosine(EXPECTED.embeddings[name] ?? [], EXPECTED.texts[words] ?? []);
    // Vectors are kept in half precision.
    assert.ok(Math.abs(similarity - expected) < 1e-3, `${name}: ${similarity}, not ${expected}`);
  }
  const likewise = SEARCH.parse(JSON.parse((await run(['similar', '--text', words, '-n', '1', '--json'])).stdout));
  assert.deepEqual(likewise.found, found.slice(0, 1));

  // With a threshold of 0 every image has the class that fits best; of random weights nobody knows which.
  cpSync(join(cwd, '.labelsmith'), join(cwd, 'parts'), { recursive: true });
  const byWords = ['match', '--classes', 'red car,cat', '--threshold', '0'];
  const matched = await run([...byWords, '--json']);
  const result = z.object({ images: z.number(), labelled: z.number() }).parse(JSON.parse(matched.stdout));
  assert.deepEqual(result, { images: 2, labelled: 2 });
  const labels = await run(['export', 'csv', 'labels.csv']);
  assert.match(labels.stderr + labels.stdout, /2/);
  assert.match(readFileSync(join(cwd, 'labels.csv'), 'utf8'), /,reference,class/);
  for (const shard of ['0/2', '1/2']) await run([...byWords, '--shard', shard, '-w', 'parts']);
  await run(['export', 'csv', 'parts.csv', '-w', 'parts']);
  assert.equal(readFileSync(join(cwd, 'parts.csv'), 'utf8'), readFileSync(join(cwd, 'labels.csv'), 'utf8'));

  // Two clusters of one colour each, with names from a list of words and nothing else.
  for (let n = 0; n < 16; n++) {
    const background = n % 2 === 0 ? { r: 250, g: 10 + n, b: 20 } : { r: 20, g: 40, b: 230 + n };
    const picture = sharp({ create: { width: 60, height: 60 + n, channels: 3, background } });
    await picture.png().toFile(join(cwd, 'photos', `${n}.png`));
  }
  writeFileSync(join(cwd, 'vocabulary.txt'), 'ruby\nsapphire\n# not a word\nbrick\n');
  await run(['add', 'photos']);
  const discover = ['discover', '--task', 'things', '--k', '2', '--vocabulary', 'vocabulary.txt', '--json'];
  const named = z.object({
    clusters: z.array(z.object({ name: z.string(), candidates: z.array(CANDIDATE) })),
    words: z.object({ model: z.string(), names: z.string() }),
  });
  const { clusters, words: told } = named.parse(JSON.parse((await run(discover)).stdout));
  assert.deepEqual(told, { model: 'tiny', names: 'candidates' });
  assert.deepEqual(clusters.map(({ name }) => name).sort(), ['unnamed-1', 'unnamed-2'], 'nobody measured such names');
  const worded = clusters
    .flatMap(({ candidates }) => candidates)
    .filter(({ evidence }) => evidence[0]?.source === 'words');
  assert.ok(worded.length >= 2, JSON.stringify(clusters));
  const said = await run(discover.filter((part) => part !== '--json').concat('--recluster'));
  assert.match(said.stdout, /Words are candidates for names.*tiny was measured on nothing/);
  const share = await run([...discover, '--recluster', '--word-share', '0']);
  assert.match(share.stderr, /because --word-share says so/);
  const given = named.parse(JSON.parse(share.stdout));
  assert.equal(given.words.names, 'given');
  assert.ok(!given.clusters.some(({ name }) => name.startsWith('unnamed')));
  const kept = named.parse(JSON.parse((await run([...discover, '--word-share', '.9'])).stdout));
  assert.equal(kept.words.names, 'kept', 'no cluster was made');
  await run(['discover', '--word-share', '.5'], 2);
  // A model that the user runs: here a server that calls everything a brick.
  const questions: string[] = [];
  const namer = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      questions.push(body);
      const content = body.includes('Which classes')
        ? '{"classes": [{"name": "Brick", "definition": "A block."}, {"name": "ruby"}]}'
        : '{"name": "brick", "definition": "A block.", "one_thing": true}';
      response.end(JSON.stringify({ choices: [{ message: { content } }] }));
    });
  });
  await new Promise<void>((ready) => namer.listen(0, '127.0.0.1', ready));
  t.after(() => namer.close());
  const url = `http://127.0.0.1:${(namer.address() as AddressInfo).port}/v1`;
  const asked = ['discover', '--task', 'things', '--k', '2', '--recluster', '--namer', url, '--namer-model', 'eyes'];
  const namings = await run([...asked, '--json']);
  assert.match(namings.stderr, /eyes at http:.* is sent one picture a new cluster/);
  assert.equal(questions.length, 2);
  for (const question of questions) assert.match(question, /green frame at the left/, 'the other cluster is beside it');
  assert.ok(!questions.some((question) => question.includes('.png') || question.includes(cwd)), 'no name of a file');
  assert.match(namings.stdout, /"name": "brick"/);
  await run(['discover', '--namer', url], 2);
  await run(['-w', 'not-embedded', 'add', 'photos']);
  const refused = await run(['-w', 'not-embedded', 'discover', '--propose', 'classes.txt'], 2);
  assert.doesNotMatch(refused.stdout, /Embedded/);
  const proposed = await run(['discover', '--task', 'things', ...asked.slice(-4), '--propose', 'classes.txt']);
  assert.match(proposed.stdout, /eyes proposes: brick, ruby/);
  assert.match(questions.at(-1) ?? '', /Which classes/);
  assert.match(
    readFileSync(join(cwd, 'classes.txt'), 'utf8'),
    /^# Classes proposed by eyes.*\n# A block\.\nbrick\nruby\n$/,
  );
  // Random weights find none of them, and say of which there was none.
  const unmatched = await run(['match', '--classes', 'classes.txt', '--task', 'proposed'], 1);
  assert.match(unmatched.stderr, /no image fits "brick", "ruby"/);

  await run(['discover', '--vocabulary', 'not-there.txt', '--recluster'], 1);

  await run(['match'], 2);
  await run(['match', '--classes', ' , '], 2);
  await run(['match', '--classes', 'a', '--template', 'no place for it'], 2);
  await run(['search', ' '], 2);
});

test('discover --namer on regions shows what is in them, and nothing of the image around', async (t) => {
  const cwd = await scratch(t);
  const env = { LABELSMITH_CACHE: join(cwd, 'cache') };
  const run = async (args: readonly string[]) => {
    const result = await runCli(args, { cwd, env });
    assert.equal(result.code, 0, `${args.join(' ')}: ${result.stderr}`);
    return result;
  };
  mkdirSync(join(cwd, 'photos'));
  const rows = ['file,class,x1,y1,x2,y2'];
  for (let n = 0; n < 6; n++) {
    const input = {
      create: { width: 80, height: 80, channels: 3, background: n % 2 === 0 ? '#f00' : '#00f' },
    } as const;
    const ground = sharp({ create: { width: 300, height: 200 + n, channels: 3, background: '#fff' } });
    await ground
      .composite([{ input, left: 20, top: 20 + n }])
      .png()
      .toFile(join(cwd, 'photos', `${n}.png`));
    rows.push(`${n}.png,thing,30,${30 + n},90,${90 + n}`);
  }
  writeFileSync(join(cwd, 'boxes.csv'), `${rows.join('\n')}\n`);
  const sheets: Buffer[] = [];
  const namer = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      sheets.push(Buffer.from(/base64,([^"]+)/.exec(body)?.[1] ?? '', 'base64'));
      const content = '{"name": "brick", "classes": [{"name": "brick"}], "one_thing": true}';
      response.end(JSON.stringify({ choices: [{ message: { content } }] }));
    });
  });
  await new Promise<void>((ready) => namer.listen(0, '127.0.0.1', ready));
  t.after(() => namer.close());
  await run(['models', 'import', join(FOLDER, 'clip'), '--name', 'tiny', '--licence', 'MIT']);
  await run(['add', 'photos']);
  await run(['import', 'csv', 'boxes.csv', '--as', 'human', '--task', 'boxes']);
  const url = `http://127.0.0.1:${(namer.address() as AddressInfo).port}/v1`;
  const named = ['--task', 'kinds', '--namer', url, '--namer-model', 'eyes', '--propose', 'classes.txt'];
  const told = await run(['discover', '--items', 'regions', '--model', 'tiny', '--k', '2', ...named]);
  assert.match(told.stdout, /brick.*namer 3\/3/);
  assert.match(told.stdout, /eyes proposes: brick/);
  assert.equal(sheets.length, 3, 'a sheet a cluster, and one of both');
  for (const sheet of sheets) {
    const { data, info } = await sharp(sheet).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const share = (wanted: (r: number, g: number, b: number) => boolean) => {
      let count = 0;
      for (let i = 0; i < data.length; i += 3) if (wanted(data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0)) count++;
      return count / (info.width * info.height);
    };
    assert.ok(share((r, g, b) => (r > 200 || b > 200) && g < 60) > 0.05, 'the regions are there');
    assert.ok(share((r, g, b) => r > 240 && g > 240 && b > 240) < 0.01, 'and nothing around them');
  }
});
