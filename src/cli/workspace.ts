/** Opens the workspace that the command line names, with what it says models run on and how their fetching is told. */
import { LabelsmithError } from '../errors.ts';
import { localEngine } from '../jobs/local-engine.ts';
import type { Part } from '../jobs/parts/parts-engine.ts';
import { openWorkspace, type Workspace } from '../jobs/workspace.ts';
import type { Context } from './command.ts';
import { modelsFor } from './fetching.ts';

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
  const fleetEngine = fleet ? await fleetEngineFor(location, { device, priority }) : undefined;
  try {
    const engine = fleetEngine ?? (part === undefined ? undefined : await partsEngineFor(part, device));
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

async function partsEngineFor(part: Part | 'rest', device: Context['global']['device']) {
  const { partsEngine } = await import('../jobs/parts/parts-engine.ts');
  return partsEngine({ local: localEngine({ device }), ...(part === 'rest' ? {} : { part }) });
}
