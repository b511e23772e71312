/**
 * The package as others get it: what is in the tarball, and that a plain `npm install` of it works in an empty folder,
 * under the Node versions it promises, with nothing of this checkout around it and nothing asked but the npm registry.
 * `test/slow/package-managers.test.ts` does the same with other package managers.
 */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { photographs } from '../fixtures/photographs.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Bundled since it has an install script, which package managers warn of or fail at, and which it does not need. */
const BUNDLED = /^node_modules\/(exifreader|@xmldom\/xmldom)\//;

const dir = mkdtempSync(join(tmpdir(), 'labelsmith-pack-'));
after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }));

/** npm tries an unreachable registry for many minutes; nothing here takes more than one. */
const TIMEOUT_MS = 300_000;

/**
 * Runs a program with the Node of `nodeBin` first in PATH, and none of the settings that npm gives its scripts; whom the
 * machine trusts stays.
 */
function run(command: string, args: readonly string[], cwd: string, nodeBin = dirname(process.execPath)) {
  const own = /^(npm_|NODE_(?!EXTRA_CA_CERTS$)|INIT_CWD)/i;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
  const path = [nodeBin, ...(env.PATH ?? '').split(delimiter).filter((part) => !part.includes('node_modules'))];
  return spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...env, PATH: path.join(delimiter) },
    maxBuffer: 1 << 26,
    timeout: TIMEOUT_MS,
  });
}

function succeeded({ status, stdout, stderr, error }: SpawnSyncReturns<string>): string {
  assert.equal(status, 0, `${error?.message ?? ''}\n${stderr}\n${stdout}`);
  return stdout;
}

let tarball = '';
let packed: readonly string[] = [];
before(async () => {
  // Not with its scripts: the build is there, and building it again would pull it from under other tests.
  const printed = succeeded(run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', dir], ROOT));
  const [made] = JSON.parse(printed) as [{ filename: string; files: { path: string }[]; size: number }];
  tarball = join(dir, made.filename);
  packed = made.files.map(({ path }) => path);
  assert.ok(made.size < 4e6, `the tarball has ${made.size} bytes`);
  await photographs(join(dir, 'photos'), ['meal_1.jpg', 'other_2.jpg', 'samples.jpg']);
});

test('the tarball holds what is needed, and nothing of the workshop', () => {
  for (const file of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'dist/cli/main.js', 'dist/index.js']) {
    assert.ok(packed.includes(file), `${file} is missing`);
  }
  assert.ok(packed.includes('dist/index.d.ts'));
  assert.ok(packed.some((file) => /^docs\/.*\.md$/.test(file)));
  const strange = packed.filter(
    (file) =>
      !BUNDLED.test(file) &&
      !/^(dist\/.*\.(js|d\.ts)|dist\/stages\/discover\/nuisance\/.*\.bin|dist\/web\/.*\.(html|css|svg)|dist\/vendor\/LICENSES\.md|docs\/.*|package\.json|[A-Z_]+\.md|LICENSE)$/.test(
        file,
      ),
  );
  assert.deepEqual(strange, []);
  assert.deepEqual(
    packed.filter((file) => !BUNDLED.test(file) && /\.test\.|\.program\.|fixture|\.map$/.test(file)),
    [],
  );
});

test('every dependency is one that is imported, and every import is a dependency', () => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
    'dependencies' | 'peerDependencies',
    Record<string, string>
  >;
  const imported = new Set<string>();
  const add = (name: string) => {
    if (!name.startsWith('node:')) imported.add(name.split('/', name.startsWith('@') ? 2 : 1).join('/'));
  };
  for (const file of packed.filter((name) => name.startsWith('dist/') && /\.(js|d\.ts)$/.test(name))) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    // What is bundled in dist/vendor is still imported for its types. `import … from 'x'` and `export … from 'x'` at the start of a line, and calls of import, resolve and require.
    for (const [, name = ''] of text.matchAll(/^(?:import|export) (?:[^'\n;]* from )?'([^'.][^']*)'/gm)) add(name);
    for (const [, name = ''] of text.matchAll(/\b(?:import|resolve|require)\('([@a-z][^'.]*(?:\.js|\.json)?)'\)/g))
      add(name);
  }
  const declared = Object.keys({ ...dependencies, ...peerDependencies });
  assert.deepEqual(
    declared.filter((name) => !imported.has(name)),
    [],
    'declared and not imported',
  );
  assert.deepEqual(
    [...imported].filter((name) => !declared.includes(name)),
    [],
    'imported and not declared',
  );
});

describe('installed in an empty folder', () => {
  const home = join(dir, 'installed');
  let installing: SpawnSyncReturns<string>;
  before(async () => {
    await mkdir(home);
    await writeFile(join(home, 'package.json'), '{"name":"user","private":true,"type":"module"}');
    installing = run('npm', ['install', tarball], home);
    succeeded(installing);
  });

  /** The folder with a Node of that major version, or why there is none. */
  function nodeOf(major: number): { readonly bin: string } | string {
    if (Number.parseInt(process.versions.node, 10) === major) return { bin: dirname(process.execPath) };
    const folder = join(dir, `node-${major}`);
    // The package \`node\` would fetch this one in a script of its own.
    const binaries = `node-${process.platform}-${process.arch}`;
    const installed = run('npm', ['install', '--prefer-offline', '--prefix', folder, `${binaries}@${major}`], dir);
    if (installed.status !== 0)
      return `Node ${major} cannot be installed: ${installed.stderr.trim().split('\n').at(-1)}`;
    return { bin: join(folder, 'node_modules', binaries, 'bin') };
  }

  test('nothing that comes along runs a script, or frightens who reads what npm prints', () => {
    const { packages } = JSON.parse(readFileSync(join(home, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { hasInstallScript?: boolean; inBundle?: boolean }>;
    };
    assert.ok(Object.keys(packages).length > 50);
    assert.deepEqual(
      Object.entries(packages).flatMap(([name, { hasInstallScript, inBundle }]) =>
        hasInstallScript && !inBundle ? [name] : [],
      ),
      [],
    );
    const said = installing.stderr.split('\n').filter((line) => /warn|error|deprecated/i.test(line));
    // What npm has against the settings of this machine's user is none of our doing.
    assert.deepEqual(
      said.filter((line) => !/Unknown (user|env|global|builtin) config/.test(line)),
      [],
    );
  });

  for (const major of [22, 24]) {
    test(`works on Node ${major}`, async (t) => {
      const node = nodeOf(major);
      if (typeof node === 'string') return t.skip(node);
      const version = succeeded(run('node', ['--version'], home, node.bin));
      assert.match(version, new RegExp(`^v${major}\\.`));
      const work = join(dir, `work-${major}`);
      await mkdir(work);
      const labelsmith = (...args: string[]) => run(join(home, 'node_modules/.bin/labelsmith'), args, work, node.bin);

      const doctor = labelsmith('doctor');
      assert.match(doctor.stdout, new RegExp(`✓ Node +v${major}\\.`));
      assert.match(doctor.stdout, /✓ ONNX Runtime .* a test graph gives the right numbers/);
      assert.equal(doctor.stderr, '', 'no warning of Node or of a library reaches the user');

      const auto = labelsmith('auto', join(dir, 'photos'), '--json');
      const { classes } = JSON.parse(succeeded(auto)) as { classes: { name: string; regions: number }[] };
      assert.ok(classes.some(({ name, regions }) => name === 'person' && regions > 5));
      assert.doesNotMatch(auto.stderr, /warning/i);
      succeeded(labelsmith('export', 'coco', 'coco', '--images', 'copy'));
      succeeded(labelsmith('export', 'crops', 'crops'));
      assert.equal(readdirSync(join(work, 'coco/images')).length, 3);
      assert.match(
        succeeded(run('npx', ['--no-install', 'labelsmith', '--version'], home, node.bin)),
        /^\d+\.\d+\.\d+\n$/,
      );
    });
  }

  test('as a library, with its types', async () => {
    await writeFile(
      join(home, 'use.ts'),
      [
        "import { DEFAULT_ACCEPT_RULES, detectIn, LabelsmithError, openDetector, openWorkspace } from 'labelsmith';",
        "import { FORMATS } from 'labelsmith/formats';",
        "import { matrix } from 'labelsmith/math';",
        'const formats: number = FORMATS.length + matrix(new Float32Array(2), 1, 2).rows;',
        "const workspace = await openWorkspace('.nothing-here', { create: true });",
        'const images: number = await workspace.store.countImages();',
        "const detector = await openDetector('centernet', { threads: 1 });",
        'const rules = { ...DEFAULT_ACCEPT_RULES, threshold: 0.4 };',
        "const run = { seed: 0, threads: 1, force: false, task: 'objects', rules };",
        'const { counts } = await detectIn(workspace, detector, run);',
        'await detector.close();',
        'await workspace.close();',
        'console.log(JSON.stringify({ counted: images, formats, ...counts, error: LabelsmithError.name }));',
        '',
      ].join('\n'),
    );
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
    succeeded(
      run(tsc, ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', ...types, 'use.ts'], home),
    );
    const printed = JSON.parse(succeeded(run('node', ['use.ts'], home))) as Record<string, unknown>;
    assert.deepEqual([printed.counted, printed.detected, printed.error], [0, 0, 'LabelsmithError']);
    assert.ok(Number(printed.formats) > 10);
  });
});

test('the lock file names every optional dependency, those of other systems too, or npm ci refuses it', () => {
  interface Locked {
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  }
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
    ),
  );
  assert.deepEqual(missing, []);
});
