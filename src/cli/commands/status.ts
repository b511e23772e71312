import { resolve } from 'node:path';
import { LabelsmithError } from '../../errors.ts';
import { requireShared } from '../../jobs/place.ts';
import { statusOf } from '../../jobs/status.ts';
import { knownAccuracies } from '../../stages/audit/known-accuracy.ts';
import { savedRecipe } from '../../stages/embed/recipe.ts';
import { lastLearningCurves } from '../../stages/teach/last-learning-curve.ts';
import { trainingsUnderWay } from '../../stages/teach/training-note.ts';
import { type Context, command } from '../command.ts';
import { printStatus } from '../print/status.ts';
import { flag } from '../values.ts';
import { withWorkspace } from '../workspace.ts';

export const status = command({
  name: 'status',
  summary: 'what is in the workspace: images, labels, quarantine, runs',
  options: {
    quarantine: flag('--quarantine', 'list every file that was put aside, with its reason'),
    check: flag('--check', "run the database's own integrity check"),
    flow: flag('--flow', 'how the flow of this workspace is (labelsmith run)'),
  },
  examples: [
    ['labelsmith status', 'counts and the last runs'],
    ['labelsmith status --quarantine', 'which files were bad, and why'],
    [
      'labelsmith status --follow -w postgres://db/images --price 0.4',
      'how far the workers are, until they have done it',
    ],
    ['labelsmith status --flow', 'cameras, schedules, targets: how labelsmith run is'],
  ],
  run({ options, ...context }) {
    const { output } = context;
    if (options.flow) return flowStatus(context);
    if (context.global.follow) return followed(context);
    return withWorkspace(context, async (workspace) => {
      const { quarantine: withQuarantine, check } = options;
      const found = await statusOf(workspace, { quarantine: withQuarantine, check });
      const { summary, sources, runs, deadShards, fleet, quarantine, problems } = found;
      const accuracy = await knownAccuracies(workspace.store);
      const learningCurves = await lastLearningCurves(workspace.store);
      const trainings = trainingsUnderWay(runs);
      const tasks = await workspace.store.tasks();
      const tasksOfBoxes = new Set(tasks.flatMap(({ name, items }) => (items === 'regions' ? [name] : [])));
      const embedder = await savedRecipe(workspace.store, 'images');
      output.document({
        workspace: workspace.name,
        sources,
        ...summary,
        accuracy,
        ...(learningCurves.length > 0 && { learningCurves }),
        ...(embedder && { embedder: { model: embedder.model, because: embedder.because ?? null } }),
        ...(trainings.length > 0 && { trainings }),
        runs,
        ...(deadShards.length > 0 && { deadShards }),
        ...(fleet && { fleet }),
        ...(quarantine && { quarantine }),
        ...(problems && { integrity: problems.length === 0 ? 'ok' : problems }),
      });
      printStatus(output, workspace.name, { ...found, accuracy, learningCurves, trainings, tasksOfBoxes }, embedder);
      return problems && problems.length > 0 ? 1 : 0;
    });
  },
});

/** Exit code of the command that is followed. */
async function followed(context: Pick<Context, 'global' | 'output' | 'signal'>): Promise<number> {
  const { followAndTell } = await import('../print/follow.ts');
  requireShared(context.global.workspace);
  return withWorkspace(context, (workspace) => followAndTell(workspace, context));
}

/** Exit code 0 while it runs and all is well, 1 otherwise, for supervisors. */
async function flowStatus({ global, output }: Pick<Context, 'global' | 'output'>): Promise<number> {
  // The parts of a flow know every format; what is asked for most often does not wait for them.
  const [{ lifeOf, readFlowState }, { pushedByFlow }, { printFlow }] = await Promise.all([
    import('../../flow/flow-state.ts'),
    import('../../flow/pushed.ts'),
    import('../print/flow.ts'),
  ]);
  const dir = resolve(global.workspace);
  const state = await readFlowState(dir);
  if (state === undefined) {
    throw new LabelsmithError('NOT_FOUND', `No flow ran in ${dir} yet.`, {
      hint: 'Start one: labelsmith run labelsmith.yaml',
    });
  }
  const pushed = await pushedByFlow(state);
  const life = lifeOf(state, Date.now());
  output.document({ life, ...state, targets: pushed });
  printFlow(output, { state, life, targets: pushed, nowMs: Date.now() });
  return life === 'running' && state.reloadError === null ? 0 : 1;
}
