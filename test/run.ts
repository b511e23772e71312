/**
 * Runs every test file under Node's test runner, prints the failures and why anything was skipped, and closes with
 * `N passed, N failed`. `--slow` runs `test/slow` instead; file names as arguments run only those. Properties draw from
 * one seed (test/properties.ts), those of the slow tests anew each time.
 */
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';

const args = process.argv.slice(2);
const slow = args.includes('--slow');
const named = args.filter((arg) => !arg.startsWith('--'));
// The longest first, so that no processor waits for the other's last one.
const patterns = slow
  ? ['test/slow/**/*.test.ts']
  : [
      'test/{e2e,pack,parity,contracts}/**/*.test.ts',
      'src/**/*.test.ts',
      'web/src/**/*.test.ts',
      'bench/**/*.test.ts',
      'test/*.test.ts',
    ];
const files = named.length > 0 ? named.sort() : patterns.flatMap((pattern) => globSync(pattern).sort());
// Every file runs in a process of its own; what one has compiled the others take.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../node_modules/.cache/compiled');

if (!slow) process.env.LABELSMITH_PROPERTY_SEED ??= '20261126';
else {
  process.env.LABELSMITH_FLEET_IMAGES ??= '10000';
  process.env.LABELSMITH_FLEET_FAULTS ??= '300';
}

let passed = 0;
let failed = 0;
let skipped = 0;
const failures: string[] = [];
const skips = new Map<string, string[]>();
const secondsOfFile = new Map<string, number>();
const startedAt = performance.now();

// What is slow is one test at a time: kill tests and benchmarks measure time. Of the others, which wait for servers and disks a
// fifth of their time, one more than there are processors.
const stream = run({ files, concurrency: slow ? 1 : availableParallelism() + 1, timeout: slow ? 3_600_000 : 600_000 });
for await (const event of stream) {
  if (event.type === 'test:stderr' || event.type === 'test:stdout') {
    if (process.env.LABELSMITH_TEST_VERBOSE) process.stderr.write(event.data.message);
    continue;
  }
  if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
  const { name, nesting, details, file, skip } = event.data;
  const where = file ? relative(process.cwd(), file) : '';
  if (nesting === 0) secondsOfFile.set(where, (secondsOfFile.get(where) ?? 0) + details.duration_ms / 1000);
  if (details.type === 'suite' || failedBelow(details)) continue;
  if (event.type === 'test:fail') {
    failed++;
    const error: unknown = 'error' in details ? details.error : undefined;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    failures.push(`✖ ${where}: ${name}\n${text}`);
    process.stdout.write(`✖ ${where}: ${name}\n`);
  } else if (skip !== undefined && skip !== false) {
    skipped++;
    const reason = typeof skip === 'string' && skip ? skip : 'no reason given';
    skips.set(reason, [...(skips.get(reason) ?? []), `${where}: ${name}`]);
  } else {
    passed++;
    if (details.duration_ms > 5000) {
      process.stdout.write(`✔ ${where}: ${name} (${(details.duration_ms / 1000).toFixed(1)} s)\n`);
    }
  }
}

for (const failure of failures) process.stdout.write(`\n${failure}\n`);
for (const [reason, names] of skips) {
  process.stdout.write(`\nskipped, ${reason}:\n${names.map((name) => `  ${name}`).join('\n')}\n`);
}
if (passed + failed === 0) {
  process.stdout.write(`no tests ran (looked for ${patterns.join(', ')})\n`);
  failed = 1;
}
const longest = [...secondsOfFile].sort(([, a], [, b]) => b - a).slice(0, 20);
process.stdout.write(`\nlongest: ${longest.map(([file, seconds]) => `${file} ${seconds.toFixed(0)} s`).join(', ')}\n`);
process.stdout.write(`\n${files.length} files in ${((performance.now() - startedAt) / 1000).toFixed(0)} s\n`);
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed > 0 ? 1 : 0;

/** A file or parent that failed only because a test in it did: that test is counted already. */
function failedBelow(details: object): boolean {
  const error: unknown = 'error' in details ? details.error : undefined;
  return error instanceof Error && 'failureType' in error && error.failureType === 'subtestsFailed';
}
