/** Commands whose parts are done by processes of their own (`--shard i/n`), in workspaces on a few pictures. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CliOptions, runCli, runJson, startCli } from './cli.ts';
import { prepare } from './contracts/stage/every-stage.ts';

export interface CommandParts {
  readonly dir: string;
  readonly options: CliOptions;
  /** What the workspace `place` holds in the task `class`. */
  exported(place: string): Promise<string>;
  /** Files of vectors, whose names say their content. */
  vectorFiles(place: string): string[];
  /** Blobs with these endings (`{shard,onnx}`) that parts hand to each other, and that are there yet. */
  blobsLeft(place: string, ending: string): string[];
  /** A part of the command, to its end. */
  part(command: readonly string[], place: string, shard: string): Promise<void>;
  /** The first of two parts is killed beside the second, and done again. */
  withOneKilled(command: readonly string[], place: string): Promise<void>;
  close(): Promise<void>;
}

/** With `photos` added and embedded in each of the workspaces. */
export async function openCommandParts([first, ...others]: readonly [string, ...string[]]): Promise<CommandParts> {
  const { dir, cacheDir } = await prepare(6);
  const options = { cwd: dir, env: { LABELSMITH_CACHE: cacheDir, LABELSMITH_OFFLINE: '1' } };
  await runJson(['add', 'photos', '-w', first], options);
  await runJson(['embed', '--model', 'means', '--shard-size', '4', '-w', first], options);
  for (const place of others) await cp(join(dir, first), join(dir, place), { recursive: true });
  const part = async (command: readonly string[], place: string, shard: string) => {
    const { code, stderr } = await runCli([...command, '--shard', shard, '-w', place], options);
    assert.equal(code, 0, stderr);
  };
  return {
    dir,
    options,
    part,
    vectorFiles: (place) => globSync('**/*.arrow', { cwd: join(dir, place, 'vectors') }).sort(),
    blobsLeft: (place, ending) => globSync(`**/*.${ending}`, { cwd: join(dir, place, 'cache', 'blobs') }),
    async exported(place) {
      const out = `${place}.jsonl`;
      await runJson(['export', 'jsonl', out, '--replace', '--task', 'class', '-w', place], options);
      return readFile(join(dir, out), 'utf8');
    },
    async withOneKilled(command, place) {
      const dies = startCli([...command, '--shard', '0/2', '-w', place], options);
      setTimeout(() => dies.kill('SIGKILL'), 1500);
      await part(command, place, '1/2');
      if (dies.exitCode === null && dies.signalCode === null) await once(dies, 'close');
      await part(command, place, '0/2');
    },
    close: () => rm(dir, { recursive: true, force: true }),
  };
}
