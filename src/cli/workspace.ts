/** Opens the workspace that the command line names, with what it says models run on and how their fetching is told. */
import { isAbsolute, resolve } from 'node:path';
import { LabelsmithError } from '../errors.ts';
import { localEngine } from '../jobs/local-engine.ts';
import type { Part } from '../jobs/parts/parts-engine.ts';
import { openWorkspace, type Workspace } from '../jobs/workspace.ts';
import type { Context } from './command.ts';
import { modelsFor } from './fetching.ts';
import { unusedShards } from './print/part.ts';

export interface WithWorkspaceOptions {
  /** Makes it where there is none; else that is an error. */
  readonly create?: boolean;
  readonly actor?: string;
  /** Which part of the work is done here; `rest` is what is missing of all parts, where any were done. */
  readonly part?: Part | 'rest';
}

/** Runs `work` on the workspace and closes it. */
export async function withWorkspace<T>(
  context: Pick<Context, 'global' | 'output' | 'signal'>,
  work: (workspace: Workspace) => Promise<T>,
  { create = false, actor, part }: WithWorkspaceOptions = {},
): Promise<T> {
  const { workspace: location, blobs: blobsAt, device, fleet, priority } = context.global;
  refuseFleetParts(fleet, part);
  if (create && blobsAt !== undefined && isRelative(blobsAt)) {
    const { output } = context;
    output.note(`Blobs go into the folder ${resolve(blobsAt)}: every machine has to find it at this path.`);
  }
  const fleetEngine = fleet ? await fleetEngineFor(location, { device, priority }) : undefined;
  try {
    const engine = fleetEngine ?? (part === undefined ? undefined : await partsEngineFor(part, context));
    const models = modelsFor(context);
    const workspace = await openWorkspace(location, {
      create,
      actor,
      blobsAt,
      device,
      models,
      ...(engine && { engine }),
    });
    try {
      return await work(workspace);
    } finally {
      await workspace.close();
    }
  } finally {
    await fleetEngine?.close();
  }
}

/** A folder that is named from the current one; s3://BUCKET without its scheme looks like this. */
function isRelative(blobsAt: string): boolean {
  return !/^[a-z][a-z0-9+.-]*:/i.test(blobsAt) && !isAbsolute(blobsAt);
}

export function refuseFleetParts(fleet: boolean, part: Part | 'rest' | undefined): void {
  if (!fleet || part === undefined || part === 'rest') return;
  throw new LabelsmithError('USAGE', '--fleet and --shard are two ways to spread the same work.', {
    hint: 'With --fleet workers take what there is to do; with --shard each process has its part.',
  });
}

/** Loaded where shards go to workers. */
async function fleetEngineFor(location: string, options: Pick<Context['global'], 'device' | 'priority'>) {
  const { openFleetEngine } = await import('../jobs/fleet/open-engine.ts');
  return openFleetEngine(location, options);
}

async function partsEngineFor(part: Part | 'rest', { global, output }: Pick<Context, 'global' | 'output'>) {
  const { partsEngine } = await import('../jobs/parts/parts-engine.ts');
  return partsEngine({
    local: localEngine({ device: global.device }),
    ...(part === 'rest' ? {} : { part }),
    onUnused: (shards) => output.warn(`${unusedShards(shards)}.`),
  });
}
