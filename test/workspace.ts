/** What tests ask of a workspace, through the built command line as a user would. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Box } from '../src/core/boxes.ts';
import { runCli, runJson } from './cli.ts';

export interface Status {
  readonly images: number;
  readonly goneImages: number;
  readonly paths: number;
  readonly duplicatePaths: number;
  readonly missingPaths: number;
  readonly groups: number;
  readonly similarPairs: number;
  readonly regions: number;
  readonly labels: Readonly<Record<string, number>>;
  /** `ok`, or what is wrong. */
  readonly integrity: string | readonly string[];
  readonly quarantine: readonly { readonly path: string; readonly reason: string; readonly message: string }[];
  readonly runs: readonly {
    readonly stage: string;
    readonly status: string;
    readonly counts: Readonly<Record<string, number>>;
  }[];
}

/** The status of the workspace in `dir`, its quarantine and integrity included. */
export function statusIn(dir: string): Promise<Status> {
  return runJson<Status>(['status', '--check', '--quarantine'], { cwd: dir });
}

/** The same, or undefined where there is no workspace yet; a workspace that cannot be read is a failure. */
export async function statusIfAny(dir: string): Promise<Status | undefined> {
  if (existsSync(join(dir, '.labelsmith/labelsmith.sqlite'))) return statusIn(dir);
  const { code, stdout } = await runCli(['status'], { cwd: dir });
  assert.equal(code, 1, `status of no workspace: ${stdout}`);
  return undefined;
}

export interface LabelRow {
  readonly class: string;
  readonly confidence?: number;
  readonly origin: string;
  readonly task: string;
}

/** A line of the export to JSON Lines: an image with everything that is known of it. */
export interface ImageRow {
  /** Path below its source. */
  readonly file: string;
  readonly sha256: string;
  readonly width: number;
  readonly height: number;
  readonly group: string;
  readonly split?: string;
  readonly labels: readonly LabelRow[];
  readonly regions: readonly {
    readonly box: Box;
    readonly score?: number;
    readonly labels: readonly LabelRow[];
  }[];
}

/** Every image of the workspace in `dir`, by its file. `more` are further options of the export. */
export async function imagesIn(dir: string, more: readonly string[] = []): Promise<Map<string, ImageRow>> {
  const out = join(dir, 'images-in-this-workspace.jsonl');
  await runJson(['export', 'jsonl', out, '--unlabelled', '--replace', ...more], { cwd: dir });
  const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
  rmSync(out);
  const rows = lines.map((line) => JSON.parse(line) as ImageRow);
  return new Map(rows.map((row) => [row.file, row]));
}

/** Path below `dir` → SHA-256 of every file there, in order of the paths. */
export function filesUnder(dir: string): Map<string, string> {
  const hashes: [string, string][] = [];
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    hashes.push([relative(dir, path), createHash('sha256').update(readFileSync(path)).digest('hex')]);
  }
  return new Map(hashes.sort(([a], [b]) => (a < b ? -1 : 1)));
}
