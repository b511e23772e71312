/** `--dry-run` of commands that learn, compare and ask: what they would do agrees with what they then do, and nothing is written. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli, runJson } from '../cli.ts';
import { EACH, KINDS, pattern, patternGround, TAUGHT } from '../patterns.ts';
import { filesUnder } from '../workspace.ts';

/** Every file with its digest, but what SQLite keeps while it reads. */
const kept = (dir: string) => [...filesUnder(dir)].filter(([name]) => !/-(wal|shm)$/.test(name));

test('match, audit and teach say what they would do, and write nothing', async (t) => {
  const dir = await patternGround(t);
  const at = { cwd: dir };
  const all = KINDS.length * EACH;
  await runJson(['import', 'csv', 'labels.csv', '--as', 'human'], at);
  /** What a command would do; fails if anything at all changed. */
  const would = async (...args: string[]) => {
    const before = await runJson(['status'], at);
    const files = kept(dir);
    const told = await runJson<Record<string, unknown>>([...args, '--dry-run'], at);
    assert.equal(told.dryRun, true, args.join(' '));
    assert.deepEqual(kept(dir), files, args.join(' '));
    assert.deepEqual(await runJson(['status'], at), before, args.join(' '));
    return told;
  };
  const select = await would('teach', 'select', '-n', '5', '--audit', '3', '--out', 'ask.csv');
  const { selected, drawn, unlabelled, embed } = select;
  assert.deepEqual([selected, drawn, unlabelled], [5, 3, all - 3 * TAUGHT]);
  assert.equal((embed as { items: number }).items, all);
  const asked = await runJson<{ selected: number; audit: number }>(
    ['teach', 'select', '-n', '5', '--audit', '3', '--out', 'ask.csv'],
    at,
  );
  assert.deepEqual([asked.selected, asked.audit], [selected, drawn]);

  const rounds = await would('teach', 'rounds', '--threshold', '0.4');
  assert.deepEqual(
    Object.values(rounds.labelled as object),
    KINDS.map(() => TAUGHT),
  );
  assert.equal(rounds.audit, 3);
  assert.equal((rounds.embed as { items: number }).items, 0);
  const nothing = await runCli(['teach', 'train', '--task', 'other', '--dry-run'], at);
  assert.deepEqual(
    [nothing.code, /There is no task|Nobody has labelled/.test(nothing.stderr)],
    [1, true],
    nothing.stderr,
  );
  await runJson(['teach', 'rounds', '--threshold', '0.4'], at);

  const audit = await would('audit', 'class', '-n', '4');
  assert.equal(audit.items, 4);
  const sheet = await runJson<{ items: number }>(['audit', 'class', '-n', '4'], at);
  assert.equal(sheet.items, 4);
  const there = await runCli(['audit', 'class', '--dry-run'], at);
  assert.match(there.stderr, /audit-class/, 'a folder that is there is refused beforehand too');
  const path = join(dir, 'audit-class', 'audit.csv');
  const rows = (await readFile(path, 'utf8')).trimEnd().split(/\r?\n/);
  await writeFile(path, `${rows.map((row, i) => (i > 2 ? `${row}yes` : row)).join('\n')}\n`);
  const { dryRun: _, ...answers } = await would('audit', 'class', '--read', 'audit-class');
  assert.equal(answers.unanswered, 2);
  const taken = await runJson(['audit', 'class', '--read', 'audit-class'], at);
  assert.deepEqual(taken.checked, answers.checked);

  for (const [k, kind] of KINDS.entries()) {
    await mkdir(join(dir, 'refs', kind), { recursive: true });
    for (const i of [0, 1]) await writeFile(join(dir, 'refs', kind, `${i}.png`), await pattern(k, 100 + i));
  }
  const match = await would('match', 'refs', '--task', 'kind');
  assert.deepEqual([match.images, match.replaced, match.outside, match.kept], [all, 0, 0, 0]);
  assert.deepEqual(match.references, Object.fromEntries(KINDS.map((kind) => [kind, 2])));
  const matched = await runJson<{ images: number; references: number; labelled: number }>(
    ['match', 'refs', '--task', 'kind'],
    at,
  );
  assert.deepEqual([matched.images, matched.references], [all, 2 * KINDS.length]);
  const again = await would('match', 'refs', '--task', 'kind');
  assert.deepEqual([again.replaced, again.kept], [matched.labelled, 2 * KINDS.length]);
});
