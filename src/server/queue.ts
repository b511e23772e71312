/** What `select` chose to ask next, kept for the page: a list of items a task, each with why. */
import { z } from 'zod';
import type { Question } from '../stages/teach/select-stage.ts';
import type { Store } from '../store/store.ts';
import { type Artifact, readArtifact, writeArtifact } from '../store/typed.ts';

const QUEUE_RECORD = z.array(
  z
    .object({ itemId: z.string(), why: z.enum(['typical', 'unsure', 'audit']), guess: z.string().nullable() })
    .readonly(),
);

const QUEUE: Artifact<Question[]> = {
  kind: 'queue',
  version: 1,
  schema: QUEUE_RECORD,
  what: 'What is to be asked next',
  remedy: 'Choose anew what to label next.',
};

export function saveQueue(store: Pick<Store, 'putArtifact'>, task: string, questions: readonly Question[]) {
  return writeArtifact(store, QUEUE, task, [...questions]);
}

export async function savedQueue(store: Pick<Store, 'artifact'>, task: string): Promise<readonly Question[]> {
  return (await readArtifact(store, QUEUE, task)) ?? [];
}
