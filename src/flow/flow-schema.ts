/**
 * What `labelsmith.yaml` may say. Keys are the words of the commands' options. This is the one description of the file: what
 * is read, the JSON schema for editors, and the reference in `docs/flow.md` follow from it.
 *
 * Places (`from`, `to`, `folder`) are the name of a target, a path below one (`cloud/labels`), an address, or a path that
 * begins with `./`, `../` or `/`; paths start at the file's folder.
 */
import { z } from 'zod';
import { readName } from '../core/class-name.ts';
import { ITEM_KINDS, ORIGINS } from '../core/labels.ts';
import { textValue } from '../core/text-value.ts';
import { byteRateIn, durationIn, sizeAndAgeIn } from '../core/units.ts';
import { IMAGES_MODES } from '../formats/format.ts';
import { parseSplit } from '../formats/splits.ts';
import { FORMATS } from '../formats/table.ts';
import { QUALITIES } from '../models/choose-embedder.ts';
import { BACKGROUNDS } from '../stages/export/background.ts';
import { DAYS } from './times.ts';

const time = () => textValue('a time such as 90s, 20m or 1.5h', durationIn);
const fraction = () => z.number({ error: 'a number from 0 to 1' }).min(0).max(1);
const count = (least: number) => z.int({ error: `a whole number of at least ${least}` }).min(least);
const NAME = /^[\w-]{1,40}$/;
const name = () => z.string().regex(NAME, 'letters, digits, - and _, 40 at most');
const taskName = () =>
  textValue('the name of a task', (text) => {
    const reading = readName(text);
    return reading.kind === 'name' ? reading.name : undefined;
  });

/** A place as written; `places.ts` says what it means. */
const place = () => z.string().min(1);

const CAMERA = z.strictObject({
  source: z.string().min(1).describe('rtsp://…, http://…, usb:0, /dev/video0, a video file, a folder, lavfi:PATTERN'),
  every: time().optional().describe('one frame each so often (default 1s, without scene)'),
  scene: fraction().optional().describe('only at a change of scene, by ffmpeg’s score'),
  changed: count(0).max(64).optional().describe('only what differs from the last kept frame by more bits than this'),
  count: count(1).optional().describe('end when so many frames are there'),
  for: time().optional().describe('end after so long'),
});

const TARGET = z.union([
  place(),
  z.strictObject({
    to: place().describe('s3://, gs:// or az://BUCKET/PREFIX, sftp://USER@HOST/FOLDER or a folder'),
    bandwidth: textValue('a rate such as 500kB/s or 5MB/s', byteRateIn).optional(),
    parallel: count(1).optional(),
  }),
]);

const CLASS = z
  .strictObject({
    synonyms: z.array(z.string()).optional(),
    parent: z.string().optional(),
    description: z.string().optional(),
  })
  .nullable();

const STAGES = {
  push: z.strictObject({
    stage: z.literal('push'),
    folder: place().optional().describe('default: the folder of the frames'),
    to: place(),
    verify: z.enum(['store', 'bytes']).optional(),
    'delete-after-verified': z.boolean().optional(),
    replace: z.boolean().optional(),
    check: z.boolean().optional(),
    patience: time().optional(),
  }),
  add: z.strictObject({
    stage: z.literal('add'),
    from: z
      .union([place(), z.array(place()).min(1)])
      .optional()
      .describe('default: the folder of the frames'),
    sync: z.boolean().optional(),
  }),
  detect: z.strictObject({
    stage: z.literal('detect'),
    pose: z.boolean().optional(),
    segment: z.boolean().optional(),
    tiles: z.boolean().optional(),
    'keep-doubtful': z.boolean().optional(),
  }),
  embed: z.strictObject({ stage: z.literal('embed'), items: z.enum(ITEM_KINDS).optional() }),
  discover: z.strictObject({
    stage: z.literal('discover'),
    k: z.union([z.literal('auto'), count(1)]).optional(),
    task: taskName().optional(),
    items: z.enum(ITEM_KINDS).optional(),
    recluster: z.boolean().optional(),
  }),
  match: z.strictObject({
    stage: z.literal('match'),
    references: place().describe('a folder with a folder of pictures for each class'),
    task: taskName().optional(),
    replace: z.boolean().optional(),
  }),
  teach: z.strictObject({
    stage: z.literal('teach'),
    task: taskName().optional(),
    budget: time().optional(),
  }),
  classify: z.strictObject({
    stage: z.literal('classify'),
    task: taskName().optional().describe('of the classifier that was taught here, where models names none'),
  }),
  export: z.strictObject({
    stage: z.literal('export'),
    format: z.enum(FORMATS.map((format) => format.name)),
    to: place(),
    task: taskName().optional(),
    origin: z.array(z.enum(ORIGINS)).min(1).optional(),
    'min-confidence': fraction().optional(),
    split: z.string().transform(parseSplit).optional().describe('train=.8,val=.1,test=.1'),
    images: z.enum(IMAGES_MODES).optional(),
    background: z.enum(BACKGROUNDS).optional(),
    margin: z.number().min(0).optional(),
    replace: z.boolean().optional().describe('take the place of the export before (default true)'),
    empty: z.boolean().optional(),
  }),
  'edge-pack': z.strictObject({
    stage: z.literal('edge-pack'),
    to: place().describe('an archive of this machine, .tar.gz, written over each time'),
    models: z
      .array(z.enum(['classifier', 'detector']))
      .min(1)
      .optional()
      .describe('default: what models names'),
    carry: z.boolean().optional(),
  }),
  'import-edge': z.strictObject({
    stage: z.literal('import-edge'),
    from: place().describe('results of a device, copied here; nothing there yet is no failure'),
  }),
  report: z.strictObject({ stage: z.literal('report'), to: place(), title: z.string().optional() }),
} as const;

const STAGE = z.discriminatedUnion('stage', [
  ...([STAGES.push, STAGES.add, STAGES.detect, STAGES.embed, STAGES.discover, STAGES.match, STAGES.teach] as const),
  ...([STAGES.classify, STAGES.export, STAGES.report, STAGES['edge-pack'], STAGES['import-edge']] as const),
]);

export const STAGE_NAMES = Object.keys(STAGES);

const SCHEDULE = z.strictObject({
  every: time().optional().describe('so long after the last time began; at once at the start'),
  at: textValue('a time of day such as 02:00', minutesIn).optional().describe('each day, by this machine’s clock'),
  on: z.array(z.enum(DAYS)).min(1).optional().describe('only on these days, with at'),
  run: z.array(STAGE).min(1).describe('in this order; what fails ends this time, and the next begins anew'),
});

function minutesIn(text: string): number | undefined {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes);
}

export const FLOW = z.strictObject({
  workspace: z.string().min(1).default('./.labelsmith').describe('the folder with the records'),
  seed: count(0).optional(),
  threads: count(1).optional().describe('inference workers (default: one a core)'),
  models: z
    .strictObject({
      detector: z.string().optional(),
      pose: z.string().optional(),
      embedder: z.string().optional(),
      quality: z.enum(QUALITIES).optional(),
      classifier: z.string().optional().describe('a file of teach rounds, or the task that was taught here'),
    })
    .default({}),
  thresholds: z
    .strictObject({
      objects: fraction().optional().describe('score a region needs'),
      match: fraction().optional().describe('cosine an image needs to be like a reference'),
      teach: fraction().optional().describe('confidence that a taught classifier needs'),
    })
    .default({}),
  objects: z
    .record(z.string(), z.strictObject({ threshold: fraction().optional() }).nullable())
    .optional()
    .describe('what detectors keep, with thresholds of their own; all where it is left out'),
  classes: z.record(z.string(), CLASS).optional().describe('classes of the corpus, made where they are not there yet'),
  cameras: z.record(name(), z.union([z.string().min(1), CAMERA])).optional(),
  capture: z
    .strictObject({
      to: place(),
      keep: textValue('a size such as 20GB, an age such as 7d, or both with a comma', sizeAndAgeIn)
        .optional()
        .describe('delete the oldest frames that are pushed or added'),
      silence: time().optional(),
      health: z.union([z.string(), z.int()]).optional().describe('a file, or a port of this machine'),
    })
    .optional(),
  watch: z
    .strictObject({
      folder: place().optional().describe('default: the folder of the frames'),
      task: taskName().optional(),
      detect: z.boolean().optional().describe('false: classes only, no objects'),
      settle: time().optional(),
    })
    .optional()
    .describe('label images as they arrive'),
  targets: z.record(name(), TARGET).default({}),
  schedules: z.record(name(), SCHEDULE).default({}),
});

export type FlowSettings = z.output<typeof FLOW>;
export type StageSettings = z.output<typeof STAGE>;
export type ScheduleSettings = FlowSettings['schedules'][string];

/** For editors: `# yaml-language-server: $schema=labelsmith.schema.json`. */
export function flowJsonSchema(): unknown {
  const schema = z.toJSONSchema(FLOW, { io: 'input', unrepresentable: 'any' });
  return { ...schema, title: 'labelsmith.yaml' };
}
