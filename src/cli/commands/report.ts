import { z } from 'zod';
import { formatBytes } from '../../core/byte-size.ts';
import { openWorkspace } from '../../jobs/workspace.ts';
import { PATHS } from '../../report/paths.ts';
import { writeReport } from '../../report/write.ts';
import { isTargetAddress } from '../../sources/targets.ts';
import { writeTo } from '../../stages/push/to-target.ts';
import { command } from '../command.ts';
import { outPlace } from '../text-values.ts';
import { argument, option } from '../values.ts';

export const report = command({
  name: 'report',
  summary: 'one self-contained page: classes, exemplars, duplicates, quarantine, timings',
  details:
    'OUT may be a report that is there already, which is replaced; anything else at that place is left alone. The page has\n' +
    'pictures and names of files in it, but no absolute path unless --paths absolute.',
  args: { out: argument('<out.html>', 'the page to write', outPlace()) },
  options: {
    title: option('--title <text>', "the page's title (default: the folder's name)", z.string().optional()),
    paths: option('--paths <how>', 'paths from their source on, or as they are', z.enum(PATHS).default('names')),
  },
  examples: [['labelsmith report report.html', 'open it in any browser; it needs no network']],
  async run({ args, options, global, output, signal }) {
    const workspace = await openWorkspace(global.workspace, { create: false, device: global.device });
    try {
      output.note('Writing the report…');
      const place = { workspaceDir: workspace.dir, replace: true, signal };
      const { byteSize, ...more } = await writeTo(args.out, place, (path) =>
        writeReport(workspace, path, { ...options, ...global }),
      );
      const path = isTargetAddress(args.out) ? args.out : more.path;
      output.document({ ...more, path, byteSize });
      output.line(`Report: ${path} (${formatBytes(byteSize)})`);
    } finally {
      await workspace.close();
    }
  },
});
