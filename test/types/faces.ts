/** The types of `labelsmith/formats` and `labelsmith/math`, checked by the compiler alone. Nothing here runs. */
import {
  FORMATS,
  type Format,
  type FormatName,
  type ImportedImage,
  Reckoning,
  readFormat,
} from '../../src/formats/index.ts';
import { exactIndex, type InferencePool, type Matrix, matrix, type NeighbourIndex } from '../../src/math/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_ extends true>(): void {}

export async function formats(): Promise<void> {
  holds<Equal<typeof FORMATS, readonly Format[]>>();
  const reckoning = new Reckoning();
  for await (const image of readFormat('coco', 'x.json', { reckoning })) holds<Equal<typeof image, ImportedImage>>();
  // @ts-expect-error there is no such format
  readFormat('cocoa', 'x.json', { reckoning });
  // @ts-expect-error what is left out is told to somebody
  readFormat('coco', 'x.json');
  // @ts-expect-error the table is read only
  FORMATS.push();
  const name: FormatName = 'yolo-seg';
  void name;
}

export async function mathematics(pool: InferencePool): Promise<void> {
  const points = matrix(new Float32Array(6), 2, 3);
  holds<Equal<typeof points, Matrix>>();
  // @ts-expect-error numbers are of single precision
  matrix([1, 2, 3], 1, 3);
  const index = exactIndex(pool, points);
  holds<Equal<typeof index, NeighbourIndex>>();
  const { indices } = await index.search(points, 1);
  // @ts-expect-error positions are not texts
  const text: string = indices[0];
  void text;
}
