/**
 * `edge verify`: whether an engine's outputs are the golden ones of a pack. The outputs come as trtexec writes them
 * (`--exportOutput`, one JSON file), or as raw files of 32-bit floats named after the outputs.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { validateJson } from '../../core/validate.ts';
import { LabelsmithError } from '../../errors.ts';
import { readWholeFile } from '../../files/whole-file.ts';
import { readArchive } from './pack-archive.ts';
import { differencesOf } from './runner/difference.ts';
import { PACK_FORMAT, type PackedModel, type PackInfo } from './runner/pack-info.ts';

export interface VerifiedOutput {
  readonly name: string;
  readonly shape: readonly number[];
  /** See `runner/difference.ts`; null where the engine gave another number of values. */
  readonly difference: number | null;
  readonly values: number;
}

export interface VerifyResult {
  readonly model: string;
  readonly outputs: readonly VerifiedOutput[];
  readonly tolerance: number;
  readonly isSame: boolean;
}

const TRTEXEC = z.array(z.looseObject({ name: z.string(), values: z.array(z.number()) }));

/** @param model which of the pack's models, by its key or the part before the `@`; needed where there are several */
export async function verifyEngine(
  pack: string,
  outputs: string,
  { tolerance, model: named }: { readonly tolerance: number; readonly model?: string },
): Promise<VerifyResult> {
  const files = await readArchive(pack, (path) => path === 'pack.json' || path.startsWith('golden/'));
  const model = chosen(infoIn(files, pack), named);
  const found = await outputsAt(outputs, model);
  const golden = model.golden.outputs.map(
    ({ name, file }) => [name, floatsOf(files.get(file) ?? Buffer.alloc(0))] as const,
  );
  const differences = differencesOf(Object.fromEntries(found), Object.fromEntries(golden));
  const verified = model.golden.outputs.map(({ name, shape }): VerifiedOutput => {
    const values = found.get(name);
    if (values === undefined) {
      throw new LabelsmithError('NOT_FOUND', `${outputs} has no output ${name}`, {
        hint: `It has ${[...found.keys()].join(', ') || 'none'}; ${model.key} gives ${model.golden.outputs.map((one) => one.name).join(', ')}.`,
      });
    }
    const difference = differences.get(name) ?? Number.POSITIVE_INFINITY;
    return { name, shape, values: values.length, difference: Number.isFinite(difference) ? difference : null };
  });
  const isSame = verified.every(({ difference }) => difference !== null && difference <= tolerance);
  return { model: model.key, outputs: verified, tolerance, isSame };
}

function infoIn(files: ReadonlyMap<string, Buffer>, pack: string): PackInfo {
  const text = files.get('pack.json')?.toString();
  const info: PackInfo | undefined = text === undefined ? undefined : JSON.parse(text);
  if (info?.format === PACK_FORMAT) return info;
  throw new LabelsmithError('BAD_FILE', `${pack} is no edge pack`, {
    hint: 'Name an archive that labelsmith edge pack wrote.',
  });
}

function chosen({ models }: PackInfo, named: string | undefined): PackedModel {
  const found = models.filter(({ key }) => named === undefined || key === named || key.startsWith(`${named}@`));
  const [model] = found;
  if (model !== undefined && found.length === 1) return model;
  const names = models.map(({ key }) => key.split('@')[0]).join(', ');
  throw new LabelsmithError(
    'USAGE',
    named === undefined ? 'the pack has several models' : `the pack has no model ${named}`,
    {
      hint: `Name one with --model: ${names}.`,
    },
  );
}

async function outputsAt(path: string, { golden }: PackedModel): Promise<Map<string, Float32Array>> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new LabelsmithError('NOT_FOUND', `${path} is not there`);
  if (!found.isDirectory()) {
    const list = validateJson(TRTEXEC, (await readWholeFile(path)).toString(), {
      what: path,
      hint: 'trtexec --exportOutput writes it.',
    });
    return new Map(list.map(({ name, values }) => [name, Float32Array.from(values)]));
  }
  const names = await readdir(path);
  const files = golden.outputs.flatMap(({ name }) => {
    const file = names.find((one) => one === name || one.replace(/\.(?:bin|raw|dat)$/, '').endsWith(name));
    return file === undefined ? [] : [{ name, file }];
  });
  return new Map(
    await Promise.all(files.map(async ({ name, file }) => [name, floatsOf(await readFile(join(path, file)))] as const)),
  );
}

function floatsOf(bytes: Uint8Array): Float32Array {
  const copy = Uint8Array.from(bytes);
  return new Float32Array(copy.buffer, 0, Math.floor(copy.length / 4));
}
