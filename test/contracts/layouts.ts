/** Files as other tools write them, each with what must come out, as a table of rows that tests are made of. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ImportedImage } from '../../src/core/dataset.ts';
import { LabelsmithError } from '../../src/errors.ts';
import type { ReaderName } from '../../src/formats/format.ts';
import { Reckoning } from '../../src/formats/reckoning.ts';
import { recogniseFormat } from '../../src/formats/recognise.ts';
import { inTemporaryFolder, readAll, toldOf, writeFiles } from './format.ts';

export interface Layout {
  readonly what: string;
  readonly format: ReaderName;
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Below the folder. Default: the folder itself. */
  readonly path?: string;
  /** As `--names` gives them. */
  readonly classNames?: readonly string[];
  readonly want: readonly string[];
  /** Reasons of the reckoning. Default: none. */
  readonly told?: readonly string[];
}

function rowsOf({ file, otherNames, split, labels, regions, width, height }: ImportedImage): string[] {
  const head =
    `${[file, ...(otherNames ?? [])].join('|')} ${split ?? (labels.length + regions.length > 0 ? '-' : '')}`.trim();
  const size = width === null ? '' : ` ${width}×${height}`;
  const rows = regions.map(({ box: edges, labels: [label], details, keypoints }) => {
    const { trackId, ...others } = details ?? {};
    const numbers = edges.map((edge) => Number(edge.toFixed(6))).join(' ');
    const score = label.confidence === null ? '' : ` @${label.confidence}`;
    const track = trackId === undefined ? '' : ` #${trackId}`;
    const rest = Object.keys(others).length === 0 ? '' : ` ${JSON.stringify(others)}`;
    const points = keypoints === null ? '' : ` k${keypoints.map((point) => point[2]).join(',')}`;
    return `${head} ${label.className} ${numbers}${score}${track}${rest}${points}${size}`;
  });
  const all = [...rows, ...labels.map(({ className }) => `${head} ${className}`)];
  return all.length > 0 ? all : [head];
}

export function describeLayouts(title: string, layouts: readonly Layout[]): void {
  describe(title, () => {
    for (const { what, format, files, path = '.', classNames, want, told = [] } of layouts)
      it(what, () =>
        inTemporaryFolder(async (folder) => {
          await writeFiles(folder, files);
          const reckoning = new Reckoning();
          const images = await readAll(format, join(folder, path), { reckoning, classNames });
          const name = (image: ImportedImage) => ({ ...image, file: image.file.replace(`${folder}/`, '') });
          assert.deepEqual(
            images.flatMap((image) => rowsOf(name(image))),
            want,
          );
          const reasons = toldOf(reckoning).map((problem) => problem.split(':', 1)[0]);
          assert.deepEqual(reasons.sort(), [...told].sort(), toldOf(reckoning).join('\n'));
        }),
      );
  });
}

/** The same, and that `import auto` knows each file, and the folder it is in. */
export function describeRecognised(title: string, layouts: readonly Layout[]): void {
  describeLayouts(title, layouts);
  describe(`${title}, which format it is`, () => {
    for (const { what, format, files, path = '.' } of layouts)
      it(what, () =>
        inTemporaryFolder(async (folder) => {
          await writeFiles(folder, files);
          for (const at of [path, '.']) {
            const { format: found, why } = await recogniseFormat(join(folder, at));
            assert.equal(found, format, `${at}: ${why}`);
          }
        }),
      );
  });
}

/** That `import auto` refuses what no reader reads: it says what it is, and what to do instead. */
export function assertNotRead(path: string, says: RegExp): Promise<void> {
  return assert.rejects(recogniseFormat(path), (error) => {
    assert.ok(error instanceof LabelsmithError && error.hint !== undefined);
    assert.match(error.message, says);
    return true;
  });
}
