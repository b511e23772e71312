import { writeFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';
import { checkOutput, type OutputOptions, writeOutput } from '../../files/output.ts';
import { placesToKeepOut } from '../../files/place.ts';
import { thumbnailOf } from '../../images/crops.ts';
import { originalBytes, readImageIfThere } from '../../jobs/image-reader.ts';
import { LABELSMITH_VERSION } from '../../jobs/run.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { collectReport } from '../../report/collect.ts';
import { gatherSections } from '../../report/gather.ts';
import { renderReport } from '../../report/html.ts';
import type { GatherOptions } from '../../report/sections/section.ts';
import { vectorsOf } from '../../report/vectors.ts';
import { command } from '../command.ts';
import type { Output } from '../output.ts';
import { argument, option } from '../values.ts';
import { formatBytes } from '../words.ts';

/** Longest side of a picture in the report, in pixels: sharp at 200 CSS pixels on a dense screen. */
const THUMBNAIL_SIDE = 320;

export const report = command({
  name: 'report',
  summary: 'one self-contained page: classes, exemplars, duplicates, quarantine, timings',
  args: { out: argument('<out.html>', 'the page to write', z.string()) },
  options: { title: option('--title <text>', "the page's title (default: the folder's name)", z.string().optional()) },
  examples: [['labelsmith report report.html', 'open it in any browser; it needs no network']],
  async run({ args, options, global, output }) {
    const workspace = await openWorkspace(global.workspace, { create: false, device: global.device });
    try {
      const written = await writeReport(workspace, args.out, output, {
        ...global,
        title: options.title,
      });
      output.document(written);
      output.line(`Report: ${written.path} (${formatBytes(written.byteSize)})`);
    } finally {
      await workspace.close();
    }
  },
});

export async function writeReport(
  workspace: Workspace,
  out: string,
  output: Output,
  { seed, threads, title = basename(dirname(workspace.dir)) }: GatherOptions & { readonly title?: string },
): Promise<{ path: string; byteSize: number }> {
  const path = resolve(out);
  await checkReportPlace(workspace, path);
  const { store } = workspace;
  const read = originalBytes(workspace);
  output.note('Writing the report…');
  const gathered = await gatherSections(workspace, { seed, threads });
  const data = await collectReport(store, async (id) => picture(await readImageIfThere(store, id, read)), {
    title,
    version: LABELSMITH_VERSION,
    nowMs: Date.now(),
    gathered,
    vectors: (items, ids) => vectorsOf(workspace, items, ids),
  });
  const html = renderReport(data);
  await writeOutput(path, await reportOutput(workspace), (target) => writeFile(target, html));
  return { path, byteSize: Buffer.byteLength(html) };
}

/** A report takes the place of an earlier one, and of nothing else. */
async function reportOutput(workspace: Workspace): Promise<OutputOptions> {
  return {
    kind: 'file',
    what: 'report',
    signature: { holds: '<meta name="generator" content="labelsmith ' },
    replace: true,
    protectedPaths: await placesToKeepOut(workspace, { insideSources: true }),
  };
}

/** Refuses a place for a report before any work is done for it. */
export async function checkReportPlace(workspace: Workspace, out: string): Promise<void> {
  await checkOutput(out, await reportOutput(workspace));
}

/** A picture that cannot be made (the file is gone) is left out of the page. */
async function picture(bytes: Uint8Array | null) {
  if (!bytes) return null;
  const made = await thumbnailOf(bytes, { longest: THUMBNAIL_SIDE, format: 'webp' }).catch(() => null);
  return made && { bytes: made.bytes, mediaType: 'image/webp' as const };
}
