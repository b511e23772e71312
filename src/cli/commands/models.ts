import { readFile } from 'node:fs/promises';
import { LabelsmithError } from '../../errors.ts';
import { cacheDirectory } from '../../fetch/cache.ts';
import { type ImportOptions, importModel } from '../../models/import.ts';
import { modelsList } from '../../models/list.ts';
import { prepareModel } from '../../models/prepare.ts';
import { findEntry } from '../../models/registry.ts';
import type { CommandSpec } from '../command.ts';
import { fetchOptionsFor } from '../fetching.ts';
import { size } from '../parse.ts';
import { formatBytes, table } from '../words.ts';

const modelsListCommand: CommandSpec = {
  usage: 'models list',
  summary: 'the known models with their licences',
  examples: [['labelsmith models list', 'what there is, and what is in the cache']],
  async run({ output }) {
    const models = await modelsList();
    output.document({ models });
    const rows = models.map(({ id, role, licence, cached, byteSize, description }) => [
      id,
      role,
      licence,
      cached ? formatBytes(byteSize ?? 0) : 'not fetched',
      description,
    ]);
    for (const line of table([['model', 'role', 'licence', 'cache', 'description'], ...rows])) output.line(line);
  },
};

const modelsPull: CommandSpec = {
  usage: 'models pull <name...>',
  summary: 'fetch models now, so that nothing needs the network later',
  examples: [
    ['labelsmith models pull centernet mobilenetv3-small', 'the two that auto uses'],
    ['LABELSMITH_CACHE=/mnt/usb labelsmith models pull centernet', 'for a machine without network: copy that folder'],
  ],
  async run({ args, output, signal }) {
    const pulled = [];
    for (const name of args) {
      const { entry, key, path, byteSize } = await prepareModel(name, fetchOptionsFor(output, signal));
      pulled.push({ id: entry.id, key, path, byteSize });
      output.line(`${entry.id}  ${formatBytes(byteSize)}  ${path}`);
    }
    output.document({ cacheDir: cacheDirectory(), pulled });
    output.line(`Cache: ${cacheDirectory()}`);
  },
};

const modelsImport: CommandSpec = {
  usage: 'models import <file>',
  summary: 'take in an ONNX model of your own',
  details:
    'What is not declared is inferred from the shapes and a trial run, and said. A model that does not fit is refused\n' +
    'with the reason.',
  options: [
    { flags: '--name <name>', description: "what to call it (default: the file's name)" },
    {
      flags: '--role <role>',
      description: 'what it does (default: inferred)',
      choices: ['detector', 'embedder', 'classifier'],
    },
    { flags: '--licence <spdx>', description: 'its licence, such as Apache-2.0 (default: listed as unknown)' },
    {
      flags: '--input-size <wxh>',
      description: "the input's width and height in pixels, such as 416x416 (default: from the file)",
      parse: size('--input-size'),
    },
    { flags: '--colours <order>', description: 'order of the colour channels', choices: ['RGB', 'BGR'] },
    {
      flags: '--class-names <file>',
      description: 'a text file with a class name a line (default: COCO for 80 classes)',
    },
    { flags: '--output <value>', description: 'embedder: the value that is the embedding' },
    { flags: '--replace', description: 'take the place of an imported model of that name', default: false },
  ],
  examples: [
    ['labelsmith models import yolox_nano.onnx --licence Apache-2.0', 'a detector: use it with detect -m yolox_nano'],
    ['labelsmith models import mobilenet.onnx --role embedder', 'the layer before its logits'],
  ],
  async run({ args, options, output }) {
    const file = options.classNames as string | undefined;
    const classNames = file === undefined ? undefined : await classNamesIn(file);
    const colours = options.colours as 'RGB' | 'BGR' | undefined;
    const inputSize = options.inputSize as { width: number; height: number } | undefined;
    const importOptions: ImportOptions = {
      name: options.name as string | undefined,
      role: options.role as ImportOptions['role'],
      licence: options.licence as string | undefined,
      width: inputSize?.width,
      height: inputSize?.height,
      output: options.output as string | undefined,
      replace: options.replace as boolean,
      classNames,
      ...(colours && { input: { colours } }),
    };
    const { entry, inferred } = await importModel(args[0], importOptions);
    output.document({ model: entry, inferred });
    const { width, height } = (await findEntry(entry.id)).input;
    output.line(`Imported ${entry.id}: ${entry.role}, ${width} × ${height}, licence ${entry.licence}`);
    for (const sentence of inferred) output.line(`  inferred: ${sentence}`);
  },
};

async function classNamesIn(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new LabelsmithError('NOT_FOUND', `The class names ${file} cannot be read.`, { cause });
  });
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

export const modelsCommands: readonly CommandSpec[] = [modelsListCommand, modelsPull, modelsImport];
