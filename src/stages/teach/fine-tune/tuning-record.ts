/**
 * What is kept on disk of a fine-tuning that is under way, so that one that was killed goes on where it was and ends with
 * the same bytes: of each training its last state, then what came out; and decisions that hang on a clock.
 *
 * A file's name is the hash of everything that its content follows from, so nothing is ever taken for something else. A file
 * that is not whole counts as none. Everything here can be made again; {@link TuningRecord.clear} removes it at the end.
 *
 * On disk: three times a network's size for the training that is under way (AdamW keeps two numbers for each), once for
 * each that is done.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWorkspaceFile } from '../../../files/atomic.ts';
import { packState, unpackState } from '../../../math/training/training-state.ts';
import type { SavedTraining, TrainingCheckpoints } from '../../../models/tuning/tune.ts';

export interface TuningRecord {
  /** @param key of everything that the training follows from */
  checkpointsOf(key: string): TrainingCheckpoints;
  /** A number that is decided once: a run that goes on takes it as it was. */
  decided(key: string, decide: () => Promise<number>): Promise<number>;
  clear(): Promise<void>;
}

/** Some seconds of work; a state of a few million numbers is written in a tenth of one. */
const EVERY_STEPS = 10;

/** @param folder of one task; others have theirs */
export function tuningRecordIn(folder: string): TuningRecord {
  const pathOf = (key: string, ending: 'state' | 'done' | 'json') => join(folder, `${key}.${ending}`);
  const decided = async (key: string, decide: () => Promise<number>): Promise<number> => {
    const path = pathOf(key, 'json');
    const known = await readFile(path, 'utf8').then(decisionIn, () => undefined);
    if (known !== undefined) return known;
    const value = await decide();
    await writeWorkspaceFile(path, new TextEncoder().encode(JSON.stringify({ value })));
    return value;
  };
  return {
    decided,
    checkpointsOf: (key) => ({
      decided: async (now) => (await decided(`${key}-twice`, async () => Number(now))) === 1,
      everySteps: EVERY_STEPS,
      async load() {
        return (await savedIn(pathOf(key, 'done'), true)) ?? (await savedIn(pathOf(key, 'state'), false));
      },
      async save({ state, isDone }) {
        await writeWorkspaceFile(pathOf(key, isDone ? 'done' : 'state'), packState(state));
        if (isDone) await rm(pathOf(key, 'state'), { force: true });
      },
    }),
    clear: () => rm(folder, { recursive: true, force: true }),
  };
}

async function savedIn(path: string, isDone: boolean): Promise<SavedTraining | undefined> {
  try {
    return { state: unpackState(await readFile(path)), isDone };
  } catch {
    return undefined;
  }
}

const DECISION = z.object({ value: z.number() });

function decisionIn(text: string): number | undefined {
  try {
    return DECISION.parse(JSON.parse(text)).value;
  } catch {
    return undefined;
  }
}
