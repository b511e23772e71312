/**
 * Models brought into a model cache of the test's own, from the user's cache or from files that lie beside the checkout: the
 * place that their catalogue entries name is on the network.
 */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { copyFile, cp, mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { LabelsmithError } from '../src/errors.ts';
import { cacheDirectory, sourcePath } from '../src/fetch/cache.ts';
import { MOBILENET_V2 } from '../src/models/backbones.ts';
import { CATALOGUE } from '../src/models/catalogue.ts';
import { prepareModel } from '../src/models/prepare.ts';

export const MOBILENET_V2_FILE = resolve('../shared/models/mobilenetv2-12-qdq.onnx');

/** Why a test that needs MobileNetV2 in int8 cannot run here; false where it can. */
export const noMobileNetV2: string | false = existsSync(MOBILENET_V2_FILE) ? false : `no ${MOBILENET_V2_FILE}`;

/** Puts MobileNetV2 in int8 where a fetch would put it. */
export function bringMobileNetV2(cacheDir: string): void {
  const [{ sha256 = '' } = {}] = MOBILENET_V2.source.files;
  mkdirSync(join(cacheDir, 'sources'), { recursive: true });
  copyFileSync(MOBILENET_V2_FILE, sourcePath(cacheDir, sha256));
}

/** Why a test that needs a model of the package registry cannot run here; false where the model is in the user's cache now. */
export async function whyNotHere(id: string): Promise<string | false> {
  try {
    await prepareModel(id);
    return false;
  } catch (error) {
    // Nothing but a registry that does not answer excuses it.
    if (error instanceof LabelsmithError && error.code === 'NETWORK')
      return `${id} cannot be fetched: ${error.message}`;
    throw error;
  }
}

/** Copies what the user's cache holds of a model, so that it can be damaged. Gives where the copies of its sources are. */
export async function copyModel(id: string, cache: string): Promise<readonly string[]> {
  const entry = CATALOGUE.find((known) => known.id === id);
  assert.ok(entry);
  await prepareModel(id);
  await cp(join(cacheDirectory(), 'models', id), join(cache, 'models', id), { recursive: true });
  await mkdir(join(cache, 'sources'), { recursive: true });
  const sources = entry.source.files.map(({ sha256 }) => sourcePath(cache, sha256 as string));
  for (const path of sources) await copyFile(sourcePath(cacheDirectory(), basename(path)), path);
  return sources;
}
