/** An agent on the built command line, by the protocol's own client: what it sees, what it changes, and that all of it goes back. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import sharp from 'sharp';
import { z } from 'zod';
import { CLI, runCli, scratch } from '../cli.ts';

const ANSWER = z.object({
  content: z.array(z.object({ type: z.string(), text: z.string().optional(), data: z.string().optional() })),
  isError: z.boolean().optional(),
});
const SHEET = z.object({ itemIds: z.array(z.string()) });
const OPERATIONS = z.object({
  operations: z.array(z.object({ name: z.string(), actor: z.string(), undone: z.boolean() })),
});

test('an agent looks, names, labels, exports and takes it back', async (t) => {
  const cwd = await scratch(t);
  mkdirSync(join(cwd, 'photos'));
  for (let n = 0; n < 6; n++) {
    const background = { r: 40 * n, g: 200 - 30 * n, b: 90 };
    await sharp({ create: { width: 64, height: 48 + n, channels: 3, background } })
      .png()
      .toFile(join(cwd, 'photos', `${n}.png`));
  }
  assert.equal((await runCli(['add', 'photos'], { cwd })).code, 0);

  const env = Object.fromEntries(Object.entries(process.env).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])));
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [CLI, 'mcp', '--actor', 'robot'],
    cwd,
    env,
    stderr: 'ignore',
  });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  t.after(() => client.close());
  const call = async (name: string, given: Record<string, unknown> = {}) => {
    const { content, isError = false } = ANSWER.parse(await client.callTool({ name, arguments: given }));
    const text = content.find(({ type }) => type === 'text')?.text ?? '';
    return { isError, text, picture: content.find(({ type }) => type === 'image')?.data };
  };
  const value = async <S extends z.ZodType>(schema: S, name: string, given: Record<string, unknown> = {}) => {
    const { isError, text } = await call(name, given);
    assert.equal(isError, false, text);
    return schema.parse(JSON.parse(text));
  };

  const { tools } = await client.listTools();
  const names = tools.map(({ name }) => name);
  for (const name of [
    'list_clusters',
    'contact_sheet',
    'name_class',
    'merge_classes',
    'search',
    'ask_next',
    'label',
    'undo',
    'export',
  ]) {
    assert.ok(names.includes(name), name);
  }
  assert.deepEqual(await value(z.unknown(), 'list_clusters'), { clusters: [] });

  // Ids come from an export of the pile as it is.
  const jsonl = await runCli(['export', 'jsonl', 'all.jsonl', '--empty', '--unlabelled', '--json'], { cwd });
  assert.equal(jsonl.code, 0, jsonl.stderr);
  const ids = readFileSync(join(cwd, 'all.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => z.looseObject({ sha256: z.string() }).parse(JSON.parse(line)).sha256);
  assert.equal(ids.length, 6);

  await value(z.unknown(), 'label', { className: 'greenish', itemIds: ids.slice(0, 3) });
  await value(z.unknown(), 'label', { className: 'reddish', itemIds: ids.slice(3) });
  const sheet = await call('contact_sheet', { className: 'greenish' });
  assert.deepEqual(SHEET.parse(JSON.parse(sheet.text)).itemIds.toSorted(), ids.slice(0, 3).toSorted());
  const { format, width = 0 } = await sharp(Buffer.from(sheet.picture ?? '', 'base64')).metadata();
  assert.ok(format === 'jpeg' && width > 300);

  await value(z.unknown(), 'name_class', { from: 'greenish', to: 'green' });
  await value(z.unknown(), 'merge_classes', { names: ['green', 'reddish'], into: 'coloured' });
  await value(z.unknown(), 'export', { format: 'csv', out: join(cwd, 'out.csv') });
  assert.ok(existsSync(join(cwd, 'out.csv')));
  assert.equal(
    (await call('export', { format: 'csv', out: join(cwd, 'out.csv') })).isError,
    true,
    'nothing is replaced',
  );

  const { operations } = await value(OPERATIONS, 'history');
  assert.ok(operations.length >= 4);
  assert.ok(operations.every(({ actor }) => actor === 'robot'));
  for (const _ of operations) await call('undo');
  assert.ok((await value(OPERATIONS, 'history')).operations.every(({ undone }) => undone));
  assert.equal((await call('contact_sheet', { className: 'coloured' })).isError, true, 'no label is left');

  // What is wrong with one call is told, and the next one works.
  for (const [name, given] of [
    ['label', { className: 'x', itemIds: ['0'.repeat(64)] }],
    ['label', { className: 'x' }],
    ['search', { words: 'cat' }],
    ['no_such_tool', {}],
  ] as const) {
    const refused = await call(name, given);
    assert.ok(refused.isError && refused.text.length > 10, name);
  }
  const before = await value(OPERATIONS, 'history');
  const missing = { className: 'x', itemIds: [ids[0], '0'.repeat(32)], task: 'never' };
  assert.equal((await call('label', missing)).isError, true);
  const misspelt = await call('list_clusters', { Task: 'other' });
  assert.equal(misspelt.isError, true);
  assert.match(misspelt.text, /Unrecognized key: "Task".*it takes task/);
  assert.deepEqual(await value(OPERATIONS, 'history'), before, 'what is refused is no operation');
  assert.equal((await call('export', { format: 'csv', out: 'never.csv', task: 'never' })).isError, true, 'and no task');

  // A task of its own is made by its first label.
  await value(z.unknown(), 'label', { className: 'x', itemIds: ids.slice(0, 1), task: 'own' });
  await value(z.unknown(), 'export', { format: 'csv', out: 'own.csv', task: 'own' });
  assert.match(readFileSync(join(cwd, 'own.csv'), 'utf8'), /,x,/);
});

test('the command ends by itself, and with no complaint, when its input does', async (t) => {
  const cwd = await scratch(t);
  mkdirSync(join(cwd, 'photos'));
  const picture = sharp({ create: { width: 9, height: 9, channels: 3, background: '#fff' } });
  await picture.png().toFile(join(cwd, 'photos', 'one.png'));
  assert.equal((await runCli(['add', 'photos'], { cwd })).code, 0);
  const child = spawn(process.execPath, [CLI, 'mcp'], { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdin.end();
  const [code] = await once(child, 'close');
  assert.deepEqual([code, said], [0, '']);
});

test('what was asked for before the end of the input is answered, and what is no message is told', async (t) => {
  const cwd = await scratch(t);
  mkdirSync(join(cwd, 'photos'));
  const picture = sharp({ create: { width: 9, height: 9, channels: 3, background: '#fff' } });
  await picture.png().toFile(join(cwd, 'photos', 'one.png'));
  assert.equal((await runCli(['add', 'photos'], { cwd })).code, 0);
  const ask = async (input: string) => {
    const child = spawn(process.execPath, [CLI, 'mcp'], { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
      });
    }
    // One that has gone takes no more.
    child.stdin.on('error', () => undefined).end(input);
    await once(child, 'close');
    return said;
  };
  const call = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'list_clusters', arguments: {} } };
  const answered = await ask(`no message\n${JSON.stringify(call)}\n`);
  assert.equal(JSON.parse(answered.stdout).id, 7);
  assert.match(answered.stderr, /What the agent sent cannot be taken/);
  const large = await ask('x'.repeat(11 * 2 ** 20));
  assert.match(large.stderr, /exceeded maximum size/);
});
