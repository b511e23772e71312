/** What the program of a pack is asked for: its command line. Whatever it does not know is refused, never left out. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { durationIn } from '../../../core/units.ts';
import { LabelsmithError, messageOf } from '../../../errors.ts';
import type { Precision } from './pack-info.ts';

export const USAGE = `node run.mjs --check
node run.mjs SOURCE --to RESULTS [--follow] [--every 1s] [--unsure N] [--keep-frames] [--precision float16] [--threads N]

SOURCE is a folder, or a camera: rtsp://…, http://…, /dev/video0 (ffmpeg has to be installed for most).
RESULTS gets results.jsonl and unsure/: take it back with labelsmith import edge RESULTS.

--check           compare the golden outputs, and nothing else
--follow          go on with what arrives in the folder
--every TIME      of a camera, one frame so often: 0.5s, 1s, 5m (default 1s)
--unsure N        images at most that are kept in unsure/ (default 1000)
--keep-frames     keep a camera's frames that are labelled
--precision P     float32 or float16 (default float32)
--threads N       of the processor (default: all there are)`;

export interface Asked {
  /** Undefined only for a check. */
  readonly source: string | undefined;
  readonly to: string;
  readonly isCheck: boolean;
  readonly isFollowing: boolean;
  readonly everyMs: number;
  readonly maxUnsure: number;
  readonly keepsFrames: boolean;
  readonly precision: Precision;
  readonly threads: number;
}

/** Fails with `USAGE` where it is not understood. */
export function askedBy(argv: readonly string[]): Asked | 'help' {
  const { values, positionals } = parsed(argv);
  if (values.help) return 'help';
  const [source, another] = positionals;
  if (another !== undefined) throw wrong(`one SOURCE at a time, not "${another}" as well`);
  const { check: isCheck = false, follow: isFollowing = false, 'keep-frames': keepsFrames = false } = values;
  if (source === undefined && !isCheck) throw wrong('it takes a SOURCE, or --check');
  return {
    source,
    isCheck,
    isFollowing,
    keepsFrames,
    to: resolve(values.to ?? 'results'),
    everyMs: values.every === undefined ? 1000 : milliseconds(values.every),
    maxUnsure: values.unsure === undefined ? 1000 : count('--unsure', values.unsure, 0),
    precision: precisionOf(values.precision),
    threads: values.threads === undefined ? availableParallelism() : count('--threads', values.threads, 1),
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        check: { type: 'boolean' },
        follow: { type: 'boolean' },
        'keep-frames': { type: 'boolean' },
        to: { type: 'string' },
        every: { type: 'string' },
        unsure: { type: 'string' },
        threads: { type: 'string' },
        precision: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw wrong(messageOf(error).replace(/\. To specify a positional argument.*$/s, ''));
  }
}

/** Milliseconds where no unit stands. */
function milliseconds(text: string): number {
  const ms = /^\d{1,9}$/.test(text) ? Number(text) : durationIn(text);
  if (ms === undefined || ms === 0) throw wrong(`--every takes a time such as 1s, 0.5s or 5m, not "${text}"`);
  return ms;
}

function count(name: string, text: string, min: number): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= min) return Number(text);
  throw wrong(`${name} takes a whole number from ${min} on, not "${text}"`);
}

function precisionOf(text = 'float32'): Precision {
  if (text === 'float32' || text === 'float16') return text;
  throw wrong(`--precision takes float32 or float16, not "${text}"`);
}

function wrong(message: string): LabelsmithError {
  return new LabelsmithError('USAGE', message, { hint: 'See: node run.mjs --help' });
}
