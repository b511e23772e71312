/** The embedder that a workspace's vectors are of. */
import { LabelsmithError } from '../../errors.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { DEFAULT_EMBEDDER } from '../../models/choose-embedder.ts';
import type { Embedder } from '../../models/embedder.ts';
import type { OpenModelOptions } from '../../models/models.ts';

/** Nobody named it in this call, so one that this machine does not have is no wrong usage. */
export async function openSavedEmbedder(
  { models }: Pick<Workspace, 'models'>,
  name: string,
  options: OpenModelOptions,
): Promise<Embedder> {
  try {
    return await models.openEmbedder(name, options);
  } catch (error) {
    if (!(error instanceof LabelsmithError && error.code === 'USAGE')) throw error;
    throw new LabelsmithError('NOT_FOUND', `This workspace was embedded with ${name}: ${error.message}.`, {
      hint: `labelsmith models import FILE.onnx --name NAME brings a model here; labelsmith embed --model ${DEFAULT_EMBEDDER} embeds anew.`,
      cause: error,
    });
  }
}
