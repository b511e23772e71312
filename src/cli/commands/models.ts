import { join } from 'node:path';
import { z } from 'zod';
import { formatBytes } from '../../core/byte-size.ts';
import { LabelsmithError } from '../../errors.ts';
import { fetchPhotographs } from '../../fetch/photographs.ts';
import type { ModelEntry } from '../../models/bundle.ts';
import { recordCheck } from '../../models/check-record.ts';
import { QUALITIES } from '../../models/choose-embedder.ts';
import { readClassNames } from '../../models/class-names-file.ts';
import { SET_NAMES, SETS } from '../../models/hub/catalogue.ts';
import { PRECISIONS } from '../../models/hub/graph-files.ts';
import { isHubPlace } from '../../models/hub/named.ts';
import type { ModelListing } from '../../models/list.ts';
import { createModels } from '../../models/models.ts';
import { pull, pullQuality, pullRuntimeInto } from '../../models/pull.ts';
import { type Agreement, agreementOf } from '../../stages/check-model/across-devices.ts';
import { checkModel, type ModelCheck } from '../../stages/check-model/check-model.ts';
import { type Command, command } from '../command.ts';
import { fetchOptionsFor, modelsFor } from '../fetching.ts';
import { size } from '../text-values.ts';
import { argument, flag, option } from '../values.ts';
import { table } from '../words.ts';

const modelsListCommand = command({
  name: 'models list',
  summary: 'the known models with their licences',
  examples: [['labelsmith models list', 'what there is, and what is in the cache']],
  async run(context) {
    const { output } = context;
    const models = await modelsFor(context).list();
    output.document({ models });
    const rows = models.map(({ id, role, licence, cached, byteSize, description, ...found }) => [
      id,
      role,
      licence,
      cached ? formatBytes(byteSize ?? 0) : 'not fetched',
      triedText(found),
      description,
    ]);
    const head = ['model', 'role', 'licence', 'cache', 'tried', 'description'];
    for (const line of table([head, ...rows])) output.line(line);
  },
});

/** Whether a model was ever run, on what, and what it scored. */
function triedText({ stated, measured, checked }: Pick<ModelListing, 'stated' | 'measured' | 'checked'>): string {
  const said = stated === null ? 'never run by us' : `never run by us; its publisher: ${stated}`;
  if (checked === null) return measured ?? said;
  const here = `${checked.sensible ? 'checked here' : 'CHECKED HERE AND WRONG'}: ${checked.right} of ${checked.of}`;
  return measured === null ? here : `${here}; ${measured}`;
}

const modelsCheck = command({
  name: 'models check',
  summary: 'run models on a few photographs and see whether their answers make sense',
  details:
    'A classifier has to name what the photographs of `labelsmith demo` show, a detector to find what is in them, and an\n' +
    'embedder to find alike ones alike. It tells a model that is fed wrongly from one that works; it is no measurement.\n' +
    'With --device also whether that device says what the processor says, within what docs/models.md states. Exit 1 when\n' +
    'the answers of one make no sense, or differ by more.',
  args: { names: argument('<name...>', 'as models list has them', z.array(z.string())) },
  examples: [
    ['labelsmith models check mobilenetv2-12-qdq', 'what it says of each photograph, and whether that is right'],
  ],
  async run({ args, ...context }) {
    const { output, signal, global } = context;
    const cache = modelsFor(context);
    const folder = join(cache.cacheDir, 'photographs');
    const entries = [];
    for (const name of args.names) entries.push((await cache.prepare(name)).entry);
    await fetchPhotographs(folder, { cacheDir: cache.cacheDir, ...fetchOptionsFor(output, signal) });
    const checks: (ModelCheck & { readonly acrossDevices?: Agreement })[] = [];
    const { device } = global;
    const processor = device === 'cpu' ? undefined : createModels(fetchOptionsFor(output, signal));
    for (const entry of entries) {
      const check = await checkModel(cache, entry, folder, { threads: global.threads });
      await recordCheck(cache.cacheDir, check.id, check);
      const acrossDevices = processor && (await agreementOf(cache, processor, entry, folder));
      checks.push({ ...check, ...(acrossDevices ? { acrossDevices } : {}) });
      const verdict = check.sensible ? 'makes sense' : 'MAKES NO SENSE';
      output.line(`${check.id}: ${verdict}, ${check.right} of ${check.of} ${check.asked}`);
      for (const { about, right, said, expected } of check.answers) {
        output.line(`  ${right ? 'right' : 'WRONG'}  ${about}: ${said}${right ? '' : ` (expected ${expected})`}`);
      }
      if (acrossDevices) output.line(`  ${agreementText(device, acrossDevices)}`);
    }
    output.document({ checks });
    return checks.every(({ sensible, acrossDevices }) => sensible && acrossDevices?.agrees !== false) ? 0 : 1;
  },
});

function agreementText(device: string, { measure, found, needed, agrees }: Agreement): string {
  const what = measure === 'cosine' ? 'least cosine of a photograph’s two vectors' : 'share of boxes found alike';
  return `${device} and the processor ${agrees ? 'agree' : 'DISAGREE'}: ${what} ${found.toFixed(5)} (at least ${needed})`;
}

const PRECISION = option(
  '--precision <name>',
  'of a model of the hub: which of its files of weights (default: fp32)',
  z.enum(PRECISIONS).optional(),
);
const ACCEPT_LICENCE = flag('--accept-licence', 'the licence forbids commercial use, and you keep to it');

const modelsPull = command({
  name: 'models pull',
  summary: 'fetch models now, so that nothing needs the network later',
  args: { names: argument('[name...]', 'as models list has them', z.array(z.string()).default([])) },
  options: {
    from: option(
      '--from <dir>',
      'a folder to look in before the network is asked (default: those in LABELSMITH_MODELS)',
      z.string().optional(),
    ),
    quality: option(
      '--quality <quality>',
      'the best embedder of this quality that can be had; auto, embed, discover and teach rounds then take it',
      z.enum(QUALITIES).optional(),
    ),
    allOf: option('--all-of <set>', 'all that a set needs, the text sides too', z.enum(SET_NAMES).optional()),
    to: option(
      '--to <dir>',
      'into this folder in place of the cache, with ONNX Runtime for this platform: LABELSMITH_CACHE names it on a machine without network',
      z.string().optional(),
    ),
    precision: PRECISION,
    acceptLicence: ACCEPT_LICENCE,
  },
  examples: [
    ['labelsmith models pull --all-of zero-shot --to models/', 'for a machine without network: copy that folder'],
    ['labelsmith models pull --quality balanced', 'the embedder that is best for its time, if it can be reached'],
    ['labelsmith models pull centernet mobilenetv3-small', 'the two that auto uses'],
    ['labelsmith models pull onnxruntime', 'what runs them; comes along with the first model'],
    ['labelsmith models pull siglip2-base', 'images and words: search, match --classes, discover --vocabulary'],
    ['LABELSMITH_CACHE=/mnt/usb labelsmith models pull centernet', 'for a machine without network: copy that folder'],
    [
      'labelsmith models pull resnet50-v1-12-qdq --from ~/models',
      'a file that you have: its name or path, and its content, count',
    ],
  ],
  async run({ args: { names }, options: { quality, from, allOf, to, precision, acceptLicence }, ...context }) {
    const { output, signal } = context;
    if (names.length === 0 && quality === undefined && allOf === undefined) {
      throw new LabelsmithError('USAGE', 'Nothing is named.', { hint: 'Name models, or give --quality balanced.' });
    }
    const places = {
      ...(from === undefined ? {} : { folders: [from] }),
      ...(to === undefined ? {} : { cacheDir: to }),
    };
    const cache = modelsFor(context, places);
    const options = { ...fetchOptionsFor(output, signal), ...places };
    const pulled = [];
    const wanted = [
      ...[...names, ...(allOf ? SETS[allOf] : [])].map(
        (name) => () => pull(cache, name, options, { precision, acceptLicence }),
      ),
      ...(quality ? [() => pullQuality(cache, quality, options)] : []),
      ...(to === undefined ? [] : [() => pullRuntimeInto(to, options)]),
    ];
    for (const fetchOne of wanted) {
      const one = await fetchOne();
      pulled.push(one);
      output.line(`${one.id}  ${one.byteSize === undefined ? '' : `${formatBytes(one.byteSize)}  `}${one.path}`);
    }
    output.document({ cacheDir: cache.cacheDir, pulled });
    output.line(`Cache: ${cache.cacheDir}`);
  },
});

const modelsImport = command({
  name: 'models import',
  summary: 'take in an ONNX model of your own, or a model of the hub',
  details:
    'What is not declared is inferred from the shapes and a trial run, and said. A model that does not fit is refused\n' +
    'with the reason. hf:OWNER/REPO, or a folder with the same files, is known by its config.json, its\n' +
    'preprocessor_config.json and its tokenizer; a field that changes pixels and is not known here refuses it.',
  args: {
    file: argument(
      '<file>',
      'the ONNX file (its path, hf:OWNER/REPO@REVISION#FILE or https:), hf:OWNER/REPO@REVISION, or a folder',
      z.string(),
    ),
  },
  options: {
    name: option('--name <name>', "what to call it (default: the file's name)", z.string().optional()),
    role: option(
      '--role <role>',
      'what it does (default: inferred)',
      z.enum(['detector', 'embedder', 'classifier']).optional(),
    ),
    licence: option(
      '--licence <spdx>',
      'its licence, such as Apache-2.0 (default: listed as unknown)',
      z.string().optional(),
    ),
    inputSize: option(
      '--input-size <wxh>',
      "the input's width and height in pixels, such as 416x416 (default: from the file)",
      size().optional(),
    ),
    colours: option('--colours <order>', 'order of the colour channels', z.enum(['RGB', 'BGR']).optional()),
    classNames: option(
      '--class-names <file>',
      'a text file with a class name a line (default: COCO for 80 classes)',
      z.string().optional(),
    ),
    output: option('--output <value>', 'embedder: the value that is the embedding', z.string().optional()),
    replace: flag('--replace', 'take the place of an imported model of that name'),
    precision: PRECISION,
    acceptLicence: ACCEPT_LICENCE,
  },
  examples: [
    ['labelsmith models import yolox_nano.onnx --licence Apache-2.0', 'a detector: use it with detect -m yolox_nano'],
    ['labelsmith models import mobilenet.onnx --role embedder', 'the layer before its logits'],
    ['labelsmith models import hf:OWNER/REPO@main#yolox_s.onnx', 'a bare ONNX file of the hub, as one from disk'],
    ['labelsmith models import hf:onnx-community/dinov2-small', 'as its own files describe it, pinned from then on'],
  ],
  async run({ args, options, ...context }) {
    const { output } = context;
    const { classNames: file, colours, inputSize, precision, acceptLicence, ...rest } = options;
    const cache = modelsFor(context);
    if (await isHubPlace(args.file)) {
      const { name, licence, replace } = rest;
      const entry = await cache.importModel(args.file, { name, licence, replace, precision, acceptLicence });
      output.document({ model: entry, inferred: [] });
      output.line(importedText(entry));
      return;
    }
    const { entry, inferred } = await cache.importFile(args.file, {
      ...rest,
      ...inputSize,
      classNames: file === undefined ? undefined : await readClassNames(file),
      ...(colours && { input: { colours } }),
    });
    output.document({ model: entry, inferred });
    output.line(importedText(entry));
    for (const sentence of inferred) output.line(`  inferred: ${sentence}`);
  },
});

function importedText({ id, role, licence, input: { width, height } }: ModelEntry): string {
  return `Imported ${id}: ${role}, ${width} × ${height}, licence ${licence}`;
}

export const modelsCommands: readonly Command[] = [modelsListCommand, modelsPull, modelsCheck, modelsImport];
