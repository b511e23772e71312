/** `export` of a workspace as it stands: its images are read where they were added from, crops are cut by us. */
import type { CropImage, FormatName } from '../../formats/format.ts';
import { cropRegions } from '../../images/crops.ts';
import { originalBytes } from '../../jobs/image-reader.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { type ExportOptions, exportWorkspace, type WorkspaceExport } from './export.ts';

const crop: CropImage = (bytes, boxes, margin) => cropRegions(bytes, boxes, { margin });

/** Writes what the workspace holds in a format; `out` appears when it is whole. */
export function exportIn(
  workspace: Workspace,
  format: FormatName,
  out: string,
  options: ExportOptions,
): Promise<WorkspaceExport> {
  const { store, dir: workspaceDir } = workspace;
  const effects = { store, workspaceDir, read: originalBytes(workspace), crop };
  return exportWorkspace(effects, format, out, options);
}
