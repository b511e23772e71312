/** The corpus of classes through the built command line: changes, undo, taxonomies, mappings, detection afterwards. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { runCli, runJson, scratch } from '../cli.ts';
import { photographs } from '../fixtures/photographs.ts';
import { imagesIn } from '../workspace.ts';

interface Node {
  readonly name: string;
  readonly parent: string | null;
  readonly synonyms: readonly string[];
  readonly synset: string | null;
  readonly heading: boolean;
  readonly images: number;
  readonly regions: number;
}

const ground = mkdtempSync(join(tmpdir(), 'labelsmith-corpus-'));
before(async () => {
  await photographs(join(ground, 'photos'));
  await runJson(['add', 'photos'], { cwd: ground });
  await runJson(['detect'], { cwd: ground });
});
after(() => rmSync(ground, { recursive: true, force: true }));

async function copy(t: TestContext): Promise<string> {
  const dir = await scratch(t);
  cpSync(join(ground, '.labelsmith'), join(dir, '.labelsmith'), { recursive: true });
  return dir;
}

async function tree(cwd: string): Promise<Map<string, Node>> {
  const { classes } = await runJson<{ classes: Node[] }>(['corpus', 'list', '--tree'], { cwd });
  return new Map(classes.map((node) => [node.name, node]));
}

/** Two classes that the photographs show, the more frequent one first. */
async function found(cwd: string): Promise<[Node, Node]> {
  const classes = [...(await tree(cwd)).values()].filter(({ heading, regions }) => !heading && regions > 0);
  classes.sort((a, b) => b.regions - a.regions || (a.name < b.name ? -1 : 1));
  assert.ok(classes.length >= 2, 'the photographs show two classes or more');
  return classes.slice(0, 2) as [Node, Node];
}

test('changes, their history, and undo of all of them give back the first tree and the first export', async (t) => {
  const cwd = await copy(t);
  const [a, b] = await found(cwd);
  const first = [await tree(cwd), await imagesIn(cwd)];
  await runJson(['corpus', 'rename', a.name, 'first thing'], { cwd });
  await runJson(['corpus', 'merge', 'first thing', b.name, '--into', 'things'], { cwd });
  await runJson(['corpus', 'alias', 'things', 'stuff'], { cwd });
  await runJson(['corpus', 'nest', 'stuff', 'whatever'], { cwd });
  await runJson(['corpus', 'describe', 'things', '--description', 'what there is'], { cwd });
  const { parent, synonyms, regions } = (await tree(cwd)).get('things') as Node;
  assert.equal(parent, 'whatever');
  assert.deepEqual(synonyms, ['first thing', a.name, b.name, 'stuff'].sort());
  assert.equal(regions, a.regions + b.regions);
  assert.match((await runCli(['corpus', 'show', a.name], { cwd })).stdout, /what there is/);
  const again = await runJson<{ changed: boolean }>(['corpus', 'alias', 'things', 'stuff'], { cwd });
  assert.equal(again.changed, false);

  await runJson(['corpus', 'undo'], { cwd });
  const { stdout: undone } = await runCli(['corpus', 'undo', '9'], { cwd });
  assert.equal(undone.match(/^Took back: /gm)?.length, 4);
  assert.match(undone, /\nThat is all: 9 were asked for, and there were 4 changes\.\n/);
  assert.deepEqual([await tree(cwd), await imagesIn(cwd)], first);
  assert.equal((await runCli(['corpus', 'undo'], { cwd })).code, 1, 'nothing is left');
  const { events } = await runJson<{ events: { undone: boolean }[] }>(['corpus', 'history'], { cwd });
  assert.deepEqual(
    events.map((event) => event.undone),
    [true, true, true, true, true],
  );
});

test('after a rename and a merge, detect says the names of today and takes them', async (t) => {
  const cwd = await copy(t);
  const [a, b] = await found(cwd);
  await runJson(['corpus', 'rename', a.name, 'renamed'], { cwd });
  await runJson(['corpus', 'merge', b.name, '--into', 'merged'], { cwd });
  await runJson(['detect', '--threshold', '0.25'], { cwd });
  const nodes = await tree(cwd);
  assert.equal(nodes.has(a.name) || nodes.has(b.name), false);
  assert.ok((nodes.get('renamed')?.regions ?? 0) >= a.regions && (nodes.get('merged')?.regions ?? 0) >= b.regions);
  await runJson(['detect', '--classes', 'renamed'], { cwd });
  assert.equal((await tree(cwd)).get('renamed')?.regions, a.regions);
});

test('a mapping at detection, and one of the corpus afterwards', async (t) => {
  const cwd = await copy(t);
  const [a, b] = await found(cwd);
  const both = a.regions + b.regions;
  await writeFile(join(cwd, 'm.csv'), `from,to\n${a.name},mine\n${b.name},mine\n`);
  await runJson(['corpus', 'map', 'm.csv'], { cwd });
  assert.equal((await tree(cwd)).get('mine')?.regions, both);
  await runJson(['corpus', 'undo'], { cwd });
  assert.equal((await tree(cwd)).has('mine'), false);
  await writeFile(join(cwd, 'm.json'), JSON.stringify({ [a.name]: 'mine', [b.name]: 'mine' }));
  await runJson(['detect', '--mapping', 'm.json'], { cwd });
  assert.equal((await tree(cwd)).get('mine')?.regions, both);
  const broken = await runCli(['detect', '--mapping', 'missing.json'], { cwd });
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /missing\.json/);
});

test('split by a list: the regions go, whoever detects again, and undo gives them back', async (t) => {
  const cwd = await copy(t);
  const [a] = await found(cwd);
  await runJson(['export', 'csv', 'all.csv'], { cwd });
  const [head, ...rows] = (await readFile(join(cwd, 'all.csv'), 'utf8')).trimEnd().split('\n') as [string, ...string[]];
  const mine = rows.find((row) => row.includes(`,${a.name},`) && !row.endsWith(',,,,')) as string;
  await writeFile(join(cwd, 'list.csv'), `${head}\n${mine.replace(`,${a.name},`, ',special,')}\n`);
  const before = await imagesIn(cwd);
  await runJson(['corpus', 'split', a.name, '--by', 'list.csv'], { cwd });
  const regionsOf = async () => {
    const nodes = await tree(cwd);
    return [nodes.get('special')?.regions ?? 0, nodes.get(a.name)?.regions ?? 0];
  };
  assert.deepEqual(await regionsOf(), [1, a.regions - 1]);
  await runJson(['detect', '--force'], { cwd });
  assert.deepEqual(await regionsOf(), [1, a.regions - 1], 'a person’s word stays');
  await runJson(['corpus', 'undo'], { cwd });
  assert.deepEqual(await regionsOf(), [0, a.regions]);
  await runJson(['detect', '--force'], { cwd });
  assert.deepEqual(await imagesIn(cwd), before);
  const wrong = await runCli(['corpus', 'split', a.name], { cwd });
  assert.equal(wrong.code, 2);
});

for (const name of ['classes.json', 'classes.csv', 'classes.jsonld']) {
  test(`${name}: exported, imported into an empty workspace and exported again it is the same`, async (t) => {
    const cwd = await copy(t);
    const [a, b] = await found(cwd);
    await runJson(['corpus', 'alias', a.name, 'a "quoted", name'], { cwd });
    await runJson(['corpus', 'nest', b.name, a.name], { cwd });
    await runJson(['corpus', 'export', name], { cwd });
    const other = await scratch(t);
    cpSync(join(ground, 'photos'), join(other, 'photos'), { recursive: true });
    await runJson(['add', 'photos'], { cwd: other });
    await runJson(['corpus', 'import', join(cwd, name)], { cwd: other });
    await runJson(['corpus', 'export', name], { cwd: other });
    assert.equal(await readFile(join(other, name), 'utf8'), await readFile(join(cwd, name), 'utf8'));
    await runJson(['corpus', 'undo'], { cwd: other });
    assert.equal((await tree(other)).size, 0);
  });
}

const PYTHON = '/usr/bin/python3';
const noRdflib =
  spawnSync(PYTHON, ['-c', 'import rdflib']).status === 0 ? false : `${PYTHON} has no rdflib (Debian: python3-rdflib)`;
const TRIPLES = `
import json, rdflib, sys
graph = rdflib.Graph().parse(sys.argv[1], format="json-ld")
S = rdflib.Namespace("http://www.w3.org/2004/02/skos/core#")
name = lambda node: str(graph.value(node, S.prefLabel))
print(json.dumps({name(c): [
    [name(b) for b in graph.objects(c, S.broader)], sorted(map(str, graph.objects(c, S.altLabel))),
    [str(d) for d in graph.objects(c, S.definition)]] for c in graph.subjects(rdflib.RDF.type, S.Concept)}))`;

test('SKOS: rdflib reads the classes, parents, synonyms and descriptions that are there', {
  skip: noRdflib,
}, async (t) => {
  const cwd = await copy(t);
  const [a, b] = await found(cwd);
  await runJson(['corpus', 'alias', a.name, 'Zweit, "Name"'], { cwd });
  await runJson(['corpus', 'nest', b.name, a.name], { cwd });
  await runJson(['corpus', 'describe', b.name, '--description', 'what there is'], { cwd });
  await runJson(['corpus', 'export', 'classes.jsonld'], { cwd });
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-c', TRIPLES, join(cwd, 'classes.jsonld')], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const read = JSON.parse(stdout) as Record<string, [broader: string[], altLabels: string[], definitions: string[]]>;
  const nodes = await tree(cwd);
  assert.deepEqual(Object.keys(read).sort(), [...nodes.keys()].sort());
  for (const { name, parent, synonyms } of nodes.values()) {
    assert.deepEqual(read[name]?.slice(0, 2), [parent === null ? [] : [parent], [...synonyms].sort()], name);
  }
  assert.deepEqual(read[b.name], [[a.name], [...b.synonyms].sort(), ['what there is']]);
  assert.ok(read[a.name]?.[1].includes('Zweit, "Name"'));
});

test('what cannot be done is refused with what to do', async (t) => {
  const cwd = await copy(t);
  const [a, b] = await found(cwd);
  const cases: readonly (readonly [args: readonly string[], code: number, message: RegExp])[] = [
    [['rename', a.name, b.name], 1, /corpus merge/],
    [['rename', 'no such class', 'x'], 1, /There is no class/],
    [['rename', a.name, ''], 2, /TO is given an empty text/],
    [['nest', a.name, a.name], 1, /same or below/],
    [['undo', 'x'], 2, /whole number/],
    [['split', a.name, '--by', 'no-task'], 1, /no task/],
    [['import', 'classes.txt'], 2, /format/],
    [['describe', a.name, '--synset', 'dog.n.99'], 1, /no synset/],
  ];
  for (const [args, code, message] of cases) {
    const result = await runCli(['corpus', ...args], { cwd });
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, message);
  }
  assert.equal((await runCli(['corpus', 'undo'], { cwd })).code, 1, 'nothing was done');
});
