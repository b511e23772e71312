/** `export` of a workspace as it stands: its images are read where they were added from, crops are cut by us. */
import { LabelsmithError } from '../../errors.ts';
import type { CropImage, FormatName } from '../../formats/format.ts';
import { SHARD_FORMATS } from '../../formats/shard-index.ts';
import { cropRegions } from '../../images/crops.ts';
import { originalBytes } from '../../jobs/image-reader.ts';
import { type RunOptions, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { isTargetAddress } from '../../sources/targets.ts';
import { type ExportOptions, exportWorkspace, type WorkspaceExport } from './export.ts';

const crop: CropImage = (bytes, boxes, margin) => cropRegions(bytes, boxes, { margin });

/**
 * Writes what the workspace holds in a format; `out` appears when it is whole.
 *
 * @param run with which the engine of the workspace writes shards that go to an address. Default: this process writes all
 */
export async function exportIn(
  workspace: Workspace,
  format: FormatName,
  out: string,
  options: ExportOptions,
  run?: RunOptions,
): Promise<WorkspaceExport> {
  const { store, dir: workspaceDir, engine } = workspace;
  const effects = { store, workspaceDir, read: originalBytes(workspace), crop };
  const problem = whyHere(format, out, options);
  if (problem !== undefined && engine.isPart) {
    throw new LabelsmithError('USAGE', `${problem}, so that --shard has no meaning for it`, {
      hint: `In parts are written ${SHARD_FORMATS.join(', ')}, with --shard-size N, to an address such as s3://BUCKET/PREFIX.`,
    });
  }
  if (problem !== undefined || run === undefined) return exportWorkspace(effects, format, out, options);
  const identity = { stage: 'export', settings: { format, out, shardSize: options.shardSize ?? null } };
  const recorded = await recordRun(store, identity, run, async (runId) => {
    const spread = { workspace, run, runId };
    const written = await exportWorkspace({ ...effects, spread }, format, out, options);
    const { images, regions, labels } = written;
    return { counts: { images, regions, labels }, interrupted: false, written };
  });
  return recorded.written;
}

/** Why an export is written by one process; undefined where it goes shard by shard. */
export function whyHere(
  format: FormatName,
  out: string,
  { shardSize, dryRun }: Pick<ExportOptions, 'shardSize' | 'dryRun'>,
): string | undefined {
  if (!SHARD_FORMATS.some((name) => name === format)) return `an export to ${format} is written by one machine`;
  if (shardSize === undefined) return `an export to ${format} without --shard-size is one file`;
  if (!isTargetAddress(out)) return `an export to a folder of this machine is written here`;
  return dryRun ? 'what would be exported is counted here' : undefined;
}
