/**
 * `edge pack`: one archive from which a device labels images by itself: models as ONNX, how images become their inputs,
 * classes and thresholds, golden outputs, and a small program for Node. The same workspace and models give the same bytes.
 */

import { readFile, rm, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { sha256Hex } from '../../core/ids.ts';
import { asInputPixels } from '../../core/pillow.ts';
import { LABELSMITH_VERSION } from '../../core/version.ts';
import { LabelsmithError } from '../../errors.ts';
import { renameOver } from '../../files/rename.ts';
import { writerName } from '../../files/unfinished.ts';
import { readWholeFile } from '../../files/whole-file.ts';
import { type PixelsInput, pixelsFor } from '../../images/pixels-for.ts';
import { originalBytes, readImageIfThere } from '../../jobs/image-reader.ts';
import { fileNameOf } from '../../jobs/taught-files.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { isOpen } from '../../models/compose-model.ts';
import type { PreparedModel } from '../../models/prepare.ts';
import { classifierInfo } from '../classify/classifier-file.ts';
import { rulesSoFar } from '../detect/detect-in-doubt.ts';
import { type AskedRules, rulesFor } from '../detect/rules.ts';
import { type PackFile, writeArchive } from './pack-archive.ts';
import { readmeText } from './pack-readme.ts';
import { packModel } from './packed-model.ts';
import { PACK_FORMAT, PACK_VERSION, type PackedModel, type PackInfo } from './runner/pack-info.ts';
import { carriedPackages, packageText, runnerFiles } from './runner-files.ts';

export interface PackRequest {
  readonly to: string;
  /** Path of a classifier of `teach rounds`; null for none. */
  readonly classifier: string | null;
  /** A detector, prepared; null for none. */
  readonly detector: PreparedModel | null;
  /** Of the detector. */
  readonly rules: AskedRules;
  /** Confidence that the classifier needs (default: its own). */
  readonly threshold?: number;
  /** Puts Node's packages of this platform into the pack. */
  readonly carry: boolean;
  readonly replace: boolean;
}

export interface PackResult {
  readonly path: string;
  readonly byteSize: number;
  readonly models: readonly PackedModel[];
  /** Image of the workspace whose pixels are the golden input; null for a pattern. */
  readonly golden: string | null;
  readonly carries: string | null;
}

export async function packEdge(workspace: Workspace, request: PackRequest): Promise<PackResult> {
  const to = resolve(request.to);
  const isThere = (await stat(to).catch(() => undefined)) !== undefined;
  if (isThere && !request.replace) {
    throw new LabelsmithError('REFUSED', `${to} is there already`, {
      hint: 'Write over it with --replace, or choose another name.',
    });
  }
  const golden = await goldenImage(workspace);
  const parts = [
    ...(request.classifier === null ? [] : [await classifierParts(request.classifier, request, golden)]),
    ...(request.detector === null ? [] : [await detectorParts(workspace, request.detector, request, golden)]),
  ];
  if (parts.length === 0) throw new LabelsmithError('USAGE', 'a pack needs a classifier or a detector');
  const models = parts.map(({ model }) => model);
  const { files: program, packages } = await runnerFiles();
  const text = (path: string, content: string): PackFile => ({ path, bytes: Buffer.from(content) });
  const files = [
    ...parts.flatMap((part) => part.files),
    ...program,
    text('package.json', packageText(packages)),
    text('README.md', readmeText(models, request.carry)),
  ];
  const info: PackInfo = {
    format: PACK_FORMAT,
    version: PACK_VERSION,
    labelsmith: LABELSMITH_VERSION,
    models,
    files: Object.fromEntries(files.map(({ path, bytes }) => [path, sha256Hex(bytes)]).sort()),
  };
  const carried = request.carry ? await carriedPackages(packages) : [];
  const temporary = `${to}.${writerName()}.tmp`;
  try {
    await writeArchive(temporary, [...files, text('pack.json', `${JSON.stringify(info, null, 2)}\n`), ...carried]);
    await renameOver(temporary, to);
  } finally {
    await rm(temporary, { force: true });
  }
  const carries = request.carry ? `${process.platform}-${process.arch}` : null;
  return { path: to, byteSize: (await stat(to)).size, models, golden: golden?.id ?? null, carries };
}

interface Golden {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** The first image that can be read, in order of identity. */
async function goldenImage(workspace: Workspace): Promise<Golden | null> {
  const { store } = workspace;
  const read = originalBytes(workspace);
  for await (const page of store.images({})) {
    for (const { id } of page) {
      const bytes = await readImageIfThere(store, id, read);
      if (bytes !== null) return { id, bytes };
    }
  }
  return null;
}

async function goldenPixels(golden: Golden | null, input: PixelsInput): Promise<Uint8Array> {
  if (golden !== null) return pixelsFor(golden.bytes, input);
  const pixels = new Uint8Array(input.width * input.height * 3);
  // A picture with edges and slopes of all directions.
  for (let i = 0; i < pixels.length; i++) pixels[i] = (i * 7 + (i >> 5) * 13 + (i >> 9) * 29) & 255;
  return asInputPixels(pixels, input.pillow);
}

interface Parts {
  readonly model: PackedModel;
  readonly files: readonly PackFile[];
}

async function classifierParts(path: string, { threshold }: PackRequest, golden: Golden | null): Promise<Parts> {
  const bytes = Uint8Array.from(await readWholeFile(path));
  const info = classifierInfo(bytes, path);
  const { task, items, classNames, input } = info;
  if (items === 'regions') {
    throw new LabelsmithError('UNSUPPORTED', `${basename(path)} tells regions apart; a device labels whole images`, {
      hint: 'Teach a task of images, or pack a detector.',
    });
  }
  const name = fileNameOf(task);
  const { parts, files } = await packModel({ name, bytes, input, goldenPixels: await goldenPixels(golden, input) });
  const key = `${task}@${sha256Hex(bytes).slice(0, 16)}`;
  return {
    model: { kind: 'classifier', key, task, classNames, input, threshold: threshold ?? info.threshold, ...parts },
    files,
  };
}

async function detectorParts(
  workspace: Workspace,
  { entry, key, path }: PreparedModel,
  { rules: asked }: PackRequest,
  golden: Golden | null,
): Promise<Parts> {
  if (entry.role !== 'detector') throw new LabelsmithError('USAGE', `${entry.id} is no detector`);
  const { classNames, id } = entry;
  if (entry.words || isOpen(entry)) {
    const why = entry.words ? 'is told in words what to find' : 'takes images of any size';
    throw new LabelsmithError('UNSUPPORTED', `${id} ${why}; devices run one graph on pixels of one size`, {
      hint: 'Label with it here, teach a classifier from its labels, and pack that.',
    });
  }
  const { width, height, pad, kernel, pillow } = entry.input;
  const input: PixelsInput = { width, height, fit: 'letterbox', pad, kernel, ...(pillow ? { pillow } : {}) };
  const bytes = Uint8Array.from(await readFile(path));
  const { parts, files } = await packModel({ name: id, bytes, input, goldenPixels: await goldenPixels(golden, input) });
  const { rules } = await rulesFor(workspace.store, asked, { classNames });
  const measured = await rulesSoFar(workspace, { id, key, classNames }, { rules, tiles: false }, asked);
  return { model: { kind: 'detector', key, task: 'objects', classNames, input, rules: measured, ...parts }, files };
}
