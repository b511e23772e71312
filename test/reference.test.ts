/** The reference of the command line against the table of commands that it is written from. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { allCommands } from '../src/cli/commands/table.ts';
import { referencePage } from '../tools/reference/reference.ts';

test('docs/reference.md is what the commands say (npm run docs:reference writes it)', async () => {
  const written = readFileSync('docs/reference.md', 'utf8').replaceAll('\r\n', '\n');
  assert.equal(written, referencePage(await allCommands()));
});

test('every command, argument and option is on the page', async () => {
  const page = referencePage(await allCommands());
  for (const { name, args, options, examples } of await allCommands()) {
    assert.ok(page.includes(`\n## ${name}\n`), name);
    for (const { usage } of Object.values(args)) assert.ok(page.includes(`\`${usage}\``), `${name} ${usage}`);
    for (const { flags } of Object.values(options)) assert.ok(page.includes(`\`${flags}\``), `${name} ${flags}`);
    for (const [line] of examples) assert.ok(page.includes(line), `${name}: ${line}`);
  }
});
