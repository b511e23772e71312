/** A workspace's report as a file: gathers, draws, and writes over an earlier report only. */
import { access, constants, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LABELSMITH_VERSION } from '../core/version.ts';
import { homedirIfAny } from '../files/home.ts';
import { checkOutput, type OutputOptions, writeOutput } from '../files/output.ts';
import { placesToKeepOut } from '../files/place.ts';
import { thumbnailOf } from '../images/crops.ts';
import { originalBytes, readImageIfThere } from '../jobs/image-reader.ts';
import { placeOfWorkspace, titleOfWorkspace } from '../jobs/place.ts';
import type { Workspace } from '../jobs/workspace.ts';
import { vectorsOf } from '../stages/embed/vectors-of.ts';
import { collectReport } from './collect.ts';
import { gatherSections } from './gather.ts';
import { renderReport } from './html.ts';
import type { Paths } from './paths.ts';
import type { GatherOptions } from './sections/section.ts';

/** Longest side of a picture in the report, in pixels: sharp at 200 CSS pixels on a dense screen. */
const THUMBNAIL_SIDE = 320;

export interface ReportOptions extends GatherOptions {
  /** Default: the name of the folder that the workspace is in. */
  readonly title?: string;
  /** Default: `names`. */
  readonly paths?: Paths;
}

export interface WrittenReport {
  /** Absolute. */
  readonly path: string;
  readonly byteSize: number;
}

export async function writeReport(workspace: Workspace, out: string, options: ReportOptions): Promise<WrittenReport> {
  const { seed, threads, title = titleOf(workspace), paths } = options;
  const path = resolve(out);
  await checkReportPlace(workspace, path);
  const { store } = workspace;
  const read = originalBytes(workspace);
  const gathered = await gatherSections(workspace, { seed, threads });
  const data = await collectReport(store, async (id) => picture(await readImageIfThere(store, id, read)), {
    title,
    paths,
    version: LABELSMITH_VERSION,
    nowMs: Date.now(),
    gathered,
    vectors: (items, ids) => vectorsOf(workspace, items, ids),
  });
  const html = renderReport(data);
  await writeOutput(path, await reportOutput(workspace), (target) => writeFile(target, html));
  return { path, byteSize: Buffer.byteLength(html) };
}

/** Refuses a place for a report before any work is done for it. */
export async function checkReportPlace(workspace: Workspace, out: string): Promise<void> {
  await checkOutput(out, await reportOutput(workspace));
}

async function reportOutput(workspace: Workspace): Promise<OutputOptions> {
  return {
    kind: 'file',
    what: 'report',
    signature: { holds: '<meta name="generator" content="labelsmith ' },
    replace: true,
    protectedPaths: await placesToKeepOut(workspace, { insideSources: true }),
  };
}

/** A home's name is its user's, who need not be told to whoever reads the report. */
function titleOf(workspace: Pick<Workspace, 'dir' | 'location'>): string {
  return dirname(workspace.dir) === homedirIfAny() ? 'Images' : titleOfWorkspace(workspace) || 'Images';
}

/**
 * Where the report of a workspace goes if nobody says: beside its folder. Of one in PostgreSQL, in the current folder, under its
 * host, database and schema; where nothing can be written there, as in a service, beside its other files on this machine.
 */
export async function usualReportPath(workspace: Pick<Workspace, 'dir' | 'location'>): Promise<string> {
  const { dir, location } = workspace;
  if (!placeOfWorkspace(location).isShared) return resolve(dir, '..', 'labelsmith-report.html');
  const { host } = new URL(location);
  const name = `labelsmith-report-${host}-${titleOfWorkspace(workspace)}`.replace(/[^\w.-]+/g, '-');
  const mayWrite = await access('.', constants.W_OK).then(
    () => true,
    () => false,
  );
  return resolve(mayWrite ? '.' : dir, `${name}.html`);
}

/** A picture that cannot be made (the file is gone) is left out of the page. */
async function picture(bytes: Uint8Array | null) {
  if (!bytes) return null;
  const made = await thumbnailOf(bytes, { longest: THUMBNAIL_SIDE, format: 'webp' }).catch(() => null);
  return made && { bytes: made.bytes, mediaType: 'image/webp' as const };
}
