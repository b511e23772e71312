/**
 * Values of stages in the store, with their types: a setting (one value a key) or an artifact (one value a task), each
 * declared once with its schema and version. What is read is checked; what an older version wrote is brought up to date;
 * what a newer one wrote is refused with what to do.
 */
import { z } from 'zod';
import { validate } from '../core/validate.ts';
import { LabelsmithError } from '../errors.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { HousekeepingStore } from './housekeeping-store.ts';

/** The fields of a value of an older version; none where it has none. */
export function oldFields(value: unknown): Readonly<Record<string, unknown>> {
  return FIELDS.safeParse(value).data ?? {};
}

const FIELDS = z.record(z.string(), z.unknown());

interface Versioned<T> {
  /** From 1; grows when the form changes. */
  readonly version: number;
  readonly schema: z.ZodType<T>;
  /**
   * Makes the form of today of an older one; 0 is that of labelsmith 0.1.0. What it cannot read it gives back, to be
   * refused by the schema. Default: the forms are the same.
   */
  readonly upgrade?: (value: unknown, version: number) => unknown;
  /** Subject of messages: `the clusters of a task`. */
  readonly what: string;
  /** What makes it again: a full sentence that names the command. */
  readonly remedy: string;
}

export interface Setting<T> extends Versioned<T> {
  readonly key: string;
}

export interface Artifact<T> extends Versioned<T> {
  readonly kind: string;
}

const ENVELOPE = z.object({ version: z.int().positive(), value: z.unknown() });

export async function readSetting<T>(
  store: Pick<HousekeepingStore, 'getSetting'>,
  setting: Setting<T>,
): Promise<T | undefined> {
  const text = await store.getSetting(setting.key);
  if (text === undefined) return undefined;
  const stored = parsed(setting, text);
  // Labelsmith 0.1.0 kept the bare value.
  const envelope = ENVELOPE.safeParse(stored);
  return envelope.success && 'value' in envelope.data
    ? currentForm(setting, envelope.data.value, envelope.data.version)
    : currentForm(setting, stored, 0);
}

export function writeSetting<T>(
  store: Pick<HousekeepingStore, 'putSetting'>,
  { key, version }: Setting<T>,
  value: T,
): Promise<void> {
  return store.putSetting(key, JSON.stringify({ version, value }));
}

export async function readArtifact<T>(
  store: Pick<ArtifactStore, 'artifact'>,
  artifact: Artifact<T>,
  task: string,
): Promise<T | undefined> {
  const stored = await store.artifact(artifact.kind, task);
  return stored && currentForm(artifact, parsed(artifact, stored.data), stored.version);
}

export function writeArtifact<T>(
  store: Pick<ArtifactStore, 'putArtifact'>,
  { kind, version }: Artifact<T>,
  task: string,
  value: T,
): Promise<void> {
  return store.putArtifact(kind, task, { version, data: JSON.stringify(value) });
}

function parsed({ what, remedy }: Versioned<unknown>, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LabelsmithError('WORKSPACE', `${what} in the workspace cannot be read`, { hint: remedy, cause });
  }
}

function currentForm<T>({ version, schema, upgrade, what, remedy }: Versioned<T>, value: unknown, stored: number): T {
  if (stored > version) {
    throw new LabelsmithError('WORKSPACE', `${what} in the workspace: form ${stored} is not known here`, {
      hint: `A newer labelsmith wrote it. Update labelsmith. ${remedy}`,
      details: { version: stored, known: version },
    });
  }
  const current = stored < version && upgrade ? upgrade(value, stored) : value;
  return validate(schema, current, { what: `${what} in the workspace`, code: 'WORKSPACE', hint: remedy });
}
