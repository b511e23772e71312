/** One stage of a flow as a call of what the command of its name does. What it gives back can be written as JSON. */
import { existsSync } from 'node:fs';
import { makeFolder } from '../files/make-folder.ts';
import type { RunOptions } from '../jobs/run.ts';
import type { Workspace } from '../jobs/workspace.ts';
import { prepareModel } from '../models/prepare.ts';
import { writeReport } from '../report/write.ts';
import { openSink } from '../sources/targets.ts';
import { addTo } from '../stages/add/add.ts';
import { openSources } from '../stages/add/open-sources.ts';
import { classifierPath, classifyWith } from '../stages/classify/classify-with.ts';
import { DEFAULT_DETECTOR, DEFAULT_POSE_MODEL, detectWith } from '../stages/detect/detect-with.ts';
import type { AskedRules } from '../stages/detect/rules.ts';
import { discoverWith } from '../stages/discover/discover-with.ts';
import { importEdgeResults } from '../stages/edge/import-results.ts';
import { packEdge } from '../stages/edge/pack.ts';
import { embedWith } from '../stages/embed/embed-with.ts';
import { exportIn } from '../stages/export/export-in.ts';
import { matchIn } from '../stages/match/match.ts';
import { push } from '../stages/push/push.ts';
import { writeTo } from '../stages/push/to-target.ts';
import { DEFAULT_THRESHOLD } from '../stages/teach/teach.ts';
import { teachWith } from '../stages/teach/teach-with.ts';
import type { Flow, FlowStage } from './flow.ts';
import { isBelow } from './places.ts';

export interface StageRun {
  readonly flow: Flow;
  /** Opens it when it is first needed; `push` needs none. */
  readonly workspace: () => Promise<Workspace>;
  readonly options: RunOptions;
  /** The names of exports and reports may hold `{date}` and `{time}`. */
  readonly nowMs: number;
}

export type StageCounts = Readonly<Record<string, number>>;

type Of<K extends FlowStage['stage']> = Extract<FlowStage, { stage: K }>;

export async function runStage(stage: FlowStage, run: StageRun): Promise<StageCounts> {
  if (stage.stage === 'push') return pushed(stage, run);
  const { flow, options } = run;
  const workspace = await run.workspace();
  const { models } = flow;
  switch (stage.stage) {
    case 'add': {
      const sources = await openSources(workspace, [stage.from ?? []].flat(), { cwd: flow.folder });
      return (await addTo(workspace, sources, { ...options, sync: stage.sync ?? false })).counts;
    }
    case 'detect':
      return (await detectWith(workspace, detectRequest(stage, flow), options)).counts;
    case 'embed': {
      const request = { items: stage.items ?? 'images', model: models.embedder, quality: models.quality } as const;
      return (await embedWith(workspace, request, options)).counts;
    }
    case 'discover':
      return discovered(workspace, stage, run);
    case 'match': {
      await embedWith(workspace, { items: 'images', model: models.embedder, quality: models.quality }, options);
      const [source] = await openSources(workspace, [stage.references], { cwd: flow.folder });
      if (source === undefined) return {};
      const { task = 'class', replace = false } = stage;
      const threshold = flow.thresholds.match;
      return (await matchIn(workspace, source, { ...options, task, replace, threshold })).counts;
    }
    case 'teach': {
      const { task = 'class', budget: budgetMs } = stage;
      const threshold = flow.thresholds.teach ?? DEFAULT_THRESHOLD;
      const request = { task, budgetMs, threshold, search: 'quick', views: 0, labelRest: true } as const;
      return (await teachWith(workspace, request, options))?.counts ?? {};
    }
    case 'classify': {
      const path = await classifierPath(workspace, models.classifier ?? stage.task ?? 'class');
      return (await classifyWith(workspace, path, options)).counts;
    }
    case 'export':
      return exported(workspace, stage, run);
    case 'edge-pack':
      return packed(workspace, stage, flow);
    case 'import-edge': {
      if (!existsSync(stage.from)) return {};
      const { added, imported } = await importEdgeResults(workspace, stage.from, options);
      return {
        added: added?.images ?? 0,
        matched: imported.matched,
        unmatched: imported.unmatched,
        labels: imported.labels,
      };
    }
    case 'report': {
      const place = { workspaceDir: workspace.dir, replace: true, signal: options.signal };
      const { seed, threads } = options;
      const { byteSize } = await writeTo(dated(stage.to, run.nowMs), place, (path) =>
        writeReport(workspace, path, { seed, threads, title: stage.title }),
      );
      return { bytes: byteSize };
    }
    default:
      throw new Error(`unknown stage ${JSON.stringify(stage satisfies never)}`);
  }
}

/** What the flow says that detectors keep. */
export function objectRules({ objects, thresholds }: Pick<Flow, 'objects' | 'thresholds'>): AskedRules {
  const own = Object.entries(objects ?? {}).flatMap(([name, rule]) =>
    rule?.threshold === undefined ? [] : [[name, rule.threshold] as const],
  );
  return {
    ...(objects === undefined ? {} : { classes: Object.keys(objects) }),
    ...(thresholds.objects === undefined ? {} : { threshold: thresholds.objects }),
    ...(own.length === 0 ? {} : { classThresholds: Object.fromEntries(own) }),
  };
}

function detectRequest(stage: Of<'detect'>, flow: Flow) {
  const { pose = false, segment = false, tiles = false } = stage;
  return {
    ...objectRules(flow),
    model: flow.models.detector ?? DEFAULT_DETECTOR,
    segment,
    tiles,
    force: false,
    task: 'objects',
    pose: pose ? (flow.models.pose ?? DEFAULT_POSE_MODEL) : null,
    keepDoubtful: stage['keep-doubtful'] ?? false,
  };
}

/** A folder below a target that is there is made; the target itself never, since a disk that is not mounted looks like that. */
async function makeBelowTarget(to: string, { targets }: Flow): Promise<void> {
  for (const { address } of targets.values()) {
    if (isBelow(to, address) && existsSync(address)) await makeFolder(to);
  }
}

async function pushed(stage: Of<'push'>, { flow, options }: StageRun): Promise<StageCounts> {
  const { folder = '', to, verify, replace, check, patience: patienceMs, bytesPerSecond, parallel } = stage;
  await makeBelowTarget(to, flow);
  const sink = await openSink(to, { cwd: flow.folder });
  try {
    const deleteAfterVerified = stage['delete-after-verified'];
    const { counts } = await push(folder, sink, {
      verify,
      replace,
      check,
      patienceMs,
      bytesPerSecond,
      parallel,
      deleteAfterVerified,
      signal: options.signal,
    });
    return { ...counts };
  } finally {
    await sink.close();
  }
}

async function discovered(
  workspace: Workspace,
  { k, task = 'class', items = 'images', recluster }: Of<'discover'>,
  { flow: { models }, options }: StageRun,
): Promise<StageCounts> {
  await workspace.store.ensureTask({ name: task, rule: 'single', items });
  const embedded = await embedWith(workspace, { items, model: models.embedder, quality: models.quality }, options);
  if (embedded.interrupted || embedded.counts.total === 0) return embedded.counts;
  return (await discoverWith(workspace, { items, task, k, recluster }, options)).counts;
}

async function exported(workspace: Workspace, stage: Of<'export'>, { options, nowMs }: StageRun): Promise<StageCounts> {
  const { format, to, task, origin: origins, split, images, background, margin = 0, replace = true, empty } = stage;
  const { seed, signal } = options;
  const place = { workspaceDir: workspace.dir, replace, signal };
  const written = await writeTo(dated(to, nowMs), place, (out) =>
    exportIn(workspace, format, out, {
      task,
      origins,
      split,
      images,
      background,
      margin,
      replace,
      empty,
      seed,
      signal,
      minConfidence: stage['min-confidence'],
    }),
  );
  return { images: written.images, failedImages: written.failedImages };
}

async function packed(workspace: Workspace, stage: Of<'edge-pack'>, flow: Flow): Promise<StageCounts> {
  const { models, thresholds } = flow;
  const { to, carry = false, models: kinds = models.classifier === undefined ? ['detector'] : ['classifier'] } = stage;
  const { byteSize } = await packEdge(workspace, {
    to,
    carry,
    replace: true,
    rules: objectRules(flow),
    threshold: thresholds.teach,
    classifier: kinds.includes('classifier') ? await classifierPath(workspace, models.classifier ?? 'class') : null,
    detector: kinds.includes('detector') ? await prepareModel(models.detector ?? DEFAULT_DETECTOR) : null,
  });
  return { models: kinds.length, bytes: byteSize };
}

/** Local date and time in a name, as far as it asks for them. */
export function dated(name: string, nowMs: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const now = new Date(nowMs);
  const date = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  return name.replaceAll('{date}', date).replaceAll('{time}', time);
}
