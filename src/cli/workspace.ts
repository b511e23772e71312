/** Opens the workspace that the command line names, with what it says models run on and how their fetching is told. */
import { openWorkspace, type Workspace } from '../jobs/workspace.ts';
import type { Context } from './command.ts';
import { modelsFor } from './fetching.ts';

/** Runs `work` on the workspace and closes it. @param create makes it where there is none; else that is an error. */
export async function withWorkspace<T>(
  context: Pick<Context, 'global' | 'output' | 'signal'>,
  work: (workspace: Workspace) => Promise<T>,
  { create = false, actor }: { readonly create?: boolean; readonly actor?: string } = {},
): Promise<T> {
  const { workspace: location, blobs: blobsAt, device, fleet } = context.global;
  const engine = fleet ? await fleetEngineFor(location, device) : undefined;
  try {
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
    await engine?.close();
  }
}

/** Loaded where shards go to workers. */
async function fleetEngineFor(location: string, device: Context['global']['device']) {
  const { openFleetEngine } = await import('../jobs/fleet/open-engine.ts');
  return openFleetEngine(location, { device });
}
