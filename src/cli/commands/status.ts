import { existsSync } from 'node:fs';
import { QUALITY_FLAGS } from '../../core/image.ts';
import { openWorkspace } from '../../jobs/workspace.ts';
import type { RunRecord } from '../../store/store.ts';
import { command } from '../command.ts';
import { flag } from '../values.ts';
import { formatCount, formatDuration, oneLine, plural, table } from '../words.ts';

export const status = command({
  name: 'status',
  summary: 'what is in the workspace: images, labels, quarantine, runs',
  options: {
    quarantine: flag('--quarantine', 'list every file that was put aside, with its reason'),
    check: flag('--check', "run the database's own integrity check"),
  },
  examples: [
    ['labelsmith status', 'counts and the last runs'],
    ['labelsmith status --quarantine', 'which files were bad, and why'],
  ],
  async run({ options, global, output }) {
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const { store } = workspace;
      const summary = await store.summary();
      const runs = await store.runs({ limit: 10 });
      const sources = await store.sourceRoots();
      const problems = options.check ? await store.check() : undefined;
      const quarantine = [];
      if (options.quarantine) for await (const page of store.quarantine()) quarantine.push(...page);

      output.document({
        workspace: workspace.dir,
        sources,
        ...summary,
        runs,
        ...(options.quarantine ? { quarantine } : {}),
        ...(problems ? { integrity: problems.length === 0 ? 'ok' : problems } : {}),
      });

      output.line(`Workspace ${workspace.dir}`);
      for (const source of sources)
        output.line(`  from ${oneLine(source)}${existsSync(source) || source.endsWith('/-') ? '' : ' (not there)'}`);
      output.line();
      const quarantined = Object.values(summary.quarantined).reduce((sum, count) => sum + count, 0);
      const flags = QUALITY_FLAGS.filter((flag) => summary.flags[flag]).map((flag) => `${summary.flags[flag]} ${flag}`);
      const labels = Object.entries(summary.labels).map(([origin, count]) => `${formatCount(count)} ${origin}`);
      const rows: [string, string][] = [
        ['images', `${formatCount(summary.images)} in ${plural(summary.groups, 'group')}`],
        [
          'paths',
          `${formatCount(summary.paths)} (${formatCount(summary.duplicatePaths)} exact copies, ${formatCount(summary.missingPaths)} missing)`,
        ],
        ['similar pairs', formatCount(summary.similarPairs)],
        ['flags', flags.join(', ') || 'none'],
        ['regions', formatCount(summary.regions)],
        ['labels', labels.join(', ') || 'none yet: labelsmith detect'],
        ['classes', formatCount(summary.classes)],
        ['quarantined', quarantined ? `${formatCount(quarantined)} (${reasons(summary.quarantined)})` : 'none'],
      ];
      for (const [name, value] of rows) output.line(`  ${name.padEnd(14)} ${value}`);
      if (runs.length > 0) {
        output.line();
        for (const line of table([['run', 'stage', 'status', 'took', 'counts'], ...runs.map(runRow)]))
          output.line(`  ${line}`);
      }
      for (const { reason, path, message } of quarantine) {
        output.line(`${reason.padEnd(19)} ${oneLine(path)}`);
        output.line(`${' '.repeat(19)} ${oneLine(message)}`);
      }
      if (problems) output.line(problems.length === 0 ? '\nIntegrity: ok' : `\nIntegrity:\n  ${problems.join('\n  ')}`);
      return problems && problems.length > 0 ? 1 : 0;
    } finally {
      await workspace.close();
    }
  },
});

function reasons(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${formatCount(count)} ${reason}`)
    .join(', ');
}

function runRow(run: RunRecord): string[] {
  const took = run.endedAtMs === null ? '' : formatDuration(run.endedAtMs - run.startedAtMs);
  const counts = Object.entries(run.counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${formatCount(count)} ${name}`);
  return [
    new Date(run.startedAtMs).toISOString().slice(0, 19).replace('T', ' '),
    run.stage,
    run.status,
    took,
    counts.join(', '),
  ];
}
