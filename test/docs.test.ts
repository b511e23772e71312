/** The documents against the repository: links lead somewhere, and what they call is there. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { GLOBAL_OPTIONS } from '../src/cli/command.ts';
import { allCommands } from '../src/cli/commands/table.ts';
import * as library from '../src/index.ts';

const COMMANDS = await allCommands();

const DOCUMENTS = [...globSync('*.md'), ...globSync('docs/**/*.md'), ...globSync('.github/**/*.md')].sort();

test('links of the documents lead to files that are there', () => {
  const broken = DOCUMENTS.flatMap((document) =>
    [...readFileSync(document, 'utf8').matchAll(/\]\(((?!https?:)[^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target]) => join(dirname(document), target))
      .filter((target) => !existsSync(target))
      .map((target) => `${document} → ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('commands in the documents exist', () => {
  const known = new Set(COMMANDS.map(({ name }) => name.split(' ')[0]));
  const wrong = DOCUMENTS.flatMap((document) =>
    [...readFileSync(document, 'utf8').matchAll(/^(?:\$ )?(?:npm run -s )?labelsmith (?:-- )?([a-z]+)/gm)]
      .map(([, command]) => command)
      .filter((command) => !known.has(command))
      .map((command) => `${document}: labelsmith ${command}`),
  );
  assert.deepEqual(wrong, []);
});

test('options of commands in the documents exist', () => {
  const shared = ['--help', ...Object.values(GLOBAL_OPTIONS).flatMap(({ flags }) => flags.match(/--[\w-]+/g) ?? [])];
  const wrong: string[] = [];
  for (const document of DOCUMENTS) {
    for (const [, line] of readFileSync(document, 'utf8').matchAll(/^(?:\$ )?labelsmith ([^\n#|]+)/gm)) {
      const words = line.split(/\s+/);
      const named = COMMANDS.find(({ name }) => name.split(' ').every((word, i) => words[i] === word));
      const options = Object.values(named?.options ?? {});
      const flags = new Set(
        options.flatMap(({ flags, denial }) => `${flags} ${denial?.flags ?? ''}`.match(/--[\w-]+/g) ?? []),
      );
      for (const word of words) {
        const flag = /^--[\w-]+/.exec(word)?.[0];
        if (flag && !flags.has(flag) && !shared.includes(flag)) wrong.push(`${document}: labelsmith ${line}: ${flag}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

test('names that examples import from the library are exported', () => {
  const exported = new Set(Object.keys(library));
  const missing = DOCUMENTS.flatMap((document) =>
    [...readFileSync(document, 'utf8').matchAll(/import \{([^}]+)\} from 'labelsmith'/g)].flatMap(([, names]) =>
      names
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name && !name.startsWith('type ') && !exported.has(name)),
    ),
  );
  assert.deepEqual(missing, []);
});

test('paths of files that the documents name are there', () => {
  const missing = DOCUMENTS.flatMap((document) =>
    [...readFileSync(document, 'utf8').matchAll(/`((?:[\w.-]+\/)+(?:[\w.-]+\.(?:ts|md|yml|svg))?)`/g)]
      .map(([, path]) => path)
      // A file by its whole path or from `src`; a folder only by its whole path, since users have folders too.
      .filter((path) => (path.endsWith('/') ? /^(?:src|test|bench|docs|examples|tools)\//.test(path) : true))
      .filter((path) => !existsSync(path) && !existsSync(join('src', path)))
      .map((path) => `${document}: ${path}`),
  );
  assert.deepEqual(missing, []);
});

test('folders that the architecture names exist', () => {
  const text = readFileSync('docs/architecture.md', 'utf8');
  const named = [...text.matchAll(/^\| `([a-z-]+)\/` \|.*$/gm)].filter(([row]) => !row.includes('not there yet'));
  assert.ok(named.length >= 10);
  assert.deepEqual(
    named.map(([, folder]) => `src/${folder}`).filter((folder) => !existsSync(folder)),
    [],
  );
});

test('every dependency has its reason in the architecture', () => {
  const declared = ['package.json', 'tools/api-reference/package.json'].flatMap((file) => {
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string> | undefined>;
    const { dependencies, devDependencies, peerDependencies } = manifest;
    return Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies });
  });
  const rows = readFileSync('docs/architecture.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|'));
  const named = new Set(
    rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name)),
  );
  // Types belong to the package that they are of.
  const ours = declared.filter((name) => !name.startsWith('@types/'));
  assert.deepEqual(
    ours.filter((name) => !named.has(name)),
    [],
    'with no line',
  );
  const packages = [...named].filter((name) => !/\/$|\.ts$/.test(name ?? ''));
  assert.deepEqual(
    packages.filter((name) => name !== undefined && !declared.includes(name)),
    [],
    'with a line, and no dependency',
  );
});
