/** Runs a peer in Debian's Python, on vectors handed over in files. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Matrix } from '../src/math/matrix.ts';

/** Another Python than the system's is named by LABELSMITH_BENCH_PYTHON. */
const PYTHON = process.env.LABELSMITH_BENCH_PYTHON ?? '/usr/bin/python3';

/**
 * Runs `bench/NAME.py` with a folder that holds the matrices as NAME.f32 and the settings as the second argument, and
 * gives the JSON it prints; or the reason why not.
 */
export function runPython(
  name: string,
  matrices: Readonly<Record<string, Matrix>>,
  settings: Readonly<Record<string, unknown>>,
  threads: number,
): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'labelsmith-bench-'));
  try {
    for (const [key, { data }] of Object.entries(matrices)) {
      writeFileSync(
        join(folder, `${key}.f32`),
        new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
      );
    }
    const env = { ...process.env, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) };
    const args = [resolve(import.meta.dirname, `${name}.py`), folder, JSON.stringify(settings)];
    const { status, signal, stdout, stderr, error } = spawnSync(PYTHON, args, {
      env,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    if (error) return { absent: `${PYTHON} does not run: ${error.message}` };
    if (status !== 0)
      return { absent: `${PYTHON} ${name}.py ended with ${status ?? signal}: ${stderr.trim().split('\n').at(-1)}` };
    return JSON.parse(stdout) as unknown;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
