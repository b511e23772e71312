/**
 * Data sets as Datumaro writes them, and exports of ours as Datumaro reads them: `test/oracles/datumaro_files.py` writes the
 * files and what Datumaro 1.13.12 makes of them.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { describe, it } from 'node:test';
import { inTemporaryFolder, readAll, writeFiles } from '../../test/contracts/format.ts';
import { regionsInside } from '../stages/import/frame.ts';
import type { FormatName } from './format.ts';
import { Reckoning } from './reckoning.ts';

interface Fixture {
  readonly width: number;
  readonly height: number;
  readonly cases: readonly {
    readonly what: string;
    readonly format: FormatName;
    readonly files: Readonly<Record<string, string>>;
    readonly rows: readonly string[];
  }[];
}

const path = new URL('../../test/fixtures/datumaro-files.json', import.meta.url);
const { width, height, cases } = JSON.parse(readFileSync(path, 'utf8')) as Fixture;

/** `FILE CLASS x1 y1 x2 y2`, as Datumaro means it. */
function asDatumaro(row: string, format: FormatName): string {
  if (format !== 'voc') return row;
  // VOC counts pixels from 1, so that a box's left and top edge lie one before; Datumaro takes the numbers as they stand.
  const [file, name, x1, y1, x2, y2] = row.split(' ');
  return [file, name, Number(x1) - 1, Number(y1) - 1, x2, y2].join(' ');
}

describe('Datumaro', () => {
  for (const { what, format, files, rows } of cases)
    it(what, () =>
      inTemporaryFolder(async (folder) => {
        await writeFiles(folder, files);
        const reckoning = new Reckoning();
        const got: string[] = [];
        const splits = new Set<string | null>();
        for (const image of await readAll(format, folder, { reckoning })) {
          splits.add(image.split);
          for (const { box, labels } of regionsInside(image, { width, height, orientation: 1 }, reckoning)) {
            const edges = box.map((edge) => Number(edge.toFixed(2))).join(' ');
            got.push(`${basename(image.file, extname(image.file))} ${labels[0].className} ${edges}`);
          }
        }
        assert.deepEqual(
          got.sort(),
          rows.map((row) => asDatumaro(row, format)),
        );
        assert.equal(reckoning.count('left out'), 0);
        if (what.includes('as Datumaro writes it')) assert.deepEqual([...splits].sort(), ['train', 'val']);
      }),
    );
});
