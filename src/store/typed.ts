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
  return valueIn(setting, await store.getSetting(setting.key));
}

/**
 * Reads, changes and writes as one: of several who change it at once, each change is made to what the one before left.
 *
 * @param anew of a value that cannot be read, begins with none
 */
export async function changeSetting<T>(
  store: Pick<HousekeepingStore, 'getSetting' | 'swapSetting'>,
  setting: Setting<T>,
  change: (now: T | undefined) => T,
  { anew = false }: { readonly anew?: boolean } = {},
): Promise<T> {
  for (;;) {
    const text = await store.getSetting(setting.key);
    const changed = change(anew ? readableIn(setting, text) : valueIn(setting, text));
    // Whoever loses here lost to somebody whose change was made, so that each round ends one of them.
    if (await store.swapSetting(setting.key, text, settingText(setting, changed))) return changed;
  }
}

function readableIn<T>(setting: Setting<T>, text: string | undefined): T | undefined {
  try {
    return valueIn(setting, text);
  } catch (error) {
    if (error instanceof LabelsmithError && error.code === 'WORKSPACE') return undefined;
    throw error;
  }
}

function valueIn<T>(setting: Setting<T>, text: string | undefined): T | undefined {
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
  setting: Setting<T>,
  value: T,
): Promise<void> {
  return store.putSetting(setting.key, settingText(setting, value));
}

const settingText = <T>({ version }: Setting<T>, value: T) => JSON.stringify({ version, value });

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
