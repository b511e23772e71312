/**
 * Model files that lie beside the checkout, brought into a model cache of the test's own: the place that their catalogue
 * entries name is on the network.
 */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { sourcePath } from '../src/fetch/cache.ts';
import { MOBILENET_V2 } from '../src/models/backbones.ts';

export const MOBILENET_V2_FILE = resolve('../shared/models/mobilenetv2-12-qdq.onnx');

/** Why a test that needs MobileNetV2 in int8 cannot run here; false where it can. */
export const noMobileNetV2: string | false = existsSync(MOBILENET_V2_FILE) ? false : `no ${MOBILENET_V2_FILE}`;

/** Puts MobileNetV2 in int8 where a fetch would put it. */
export function bringMobileNetV2(cacheDir: string): void {
  const [{ sha256 = '' } = {}] = MOBILENET_V2.source.files;
  mkdirSync(join(cacheDir, 'sources'), { recursive: true });
  copyFileSync(MOBILENET_V2_FILE, sourcePath(cacheDir, sha256));
}
