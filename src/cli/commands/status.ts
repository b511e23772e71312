import { statusOf } from '../../jobs/status.ts';
import { savedRecipe } from '../../stages/embed/recipe.ts';
import { command } from '../command.ts';
import { printStatus } from '../print/status.ts';
import { flag } from '../values.ts';
import { withWorkspace } from '../workspace.ts';

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
  run({ options, ...context }) {
    const { output } = context;
    return withWorkspace(context, async (workspace) => {
      const found = await statusOf(workspace, options);
      const { summary, sources, runs, quarantine, problems } = found;
      const embedder = await savedRecipe(workspace.store, 'images');
      output.document({
        workspace: workspace.dir,
        sources,
        ...summary,
        ...(embedder && { embedder: { model: embedder.model, because: embedder.because ?? null } }),
        runs,
        ...(quarantine && { quarantine }),
        ...(problems && { integrity: problems.length === 0 ? 'ok' : problems }),
      });
      printStatus(output, workspace.dir, found, embedder);
      return problems && problems.length > 0 ? 1 : 0;
    });
  },
});
