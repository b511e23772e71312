/** `export` of a workspace as it stands: its images are read where they were added from, crops are cut by us. */
import { LabelsmithError } from '../../errors.ts';
import type { CropImage, FormatName } from '../../formats/format.ts';
import { cropRegions } from '../../images/crops.ts';
import { originalBytes } from '../../jobs/image-reader.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { type ExportOptions, exportWorkspace, type WorkspaceExport } from './export.ts';
import { noteExport } from './export-revisions.ts';
import { notePartial } from './partial-exports.ts';

const crop: CropImage = (bytes, boxes, margin) => cropRegions(bytes, boxes, { margin });

const UNNOTED =
  'The workspace may only be read here, so it does not know that this export holds part of its labels: give a corrected copy back with import --no-replace.';

/** Writes what the workspace holds in a format; `out` appears when it is whole. */
export async function exportIn(
  workspace: Workspace,
  format: FormatName,
  out: string,
  options: ExportOptions,
): Promise<WorkspaceExport> {
  const { store, dir: workspaceDir } = workspace;
  const effects = { store, workspaceDir, read: originalBytes(workspace), crop };
  const { revision } = await store.changes(0);
  const summary = await exportWorkspace(effects, format, out, options);
  const isPartial = options.origins !== undefined || options.minConfidence !== undefined;
  try {
    await noteExport(store, format, revision);
    if (isPartial) await notePartial(store, format);
    return summary;
  } catch (error) {
    // The export is there by now, and whoever may only read the workspace can still make one.
    if (!(error instanceof LabelsmithError && error.code === 'WORKSPACE')) throw error;
    return isPartial ? { ...summary, problems: [...summary.problems, UNNOTED] } : summary;
  }
}
