/** An ONNX model of one or several files as one. */
import { readFile } from 'node:fs/promises';
import { embedExternalData, externalLocations } from '../onnx/external-data.ts';
import { decodeModel, encodeModel } from '../onnx/proto.ts';

/** @param files the model, then the files of its weights in the order in which it names them */
export function selfContained([bytes, ...weights]: readonly Uint8Array[]): Uint8Array {
  if (bytes === undefined) throw new RangeError('an ONNX model is one file at least');
  const model = decodeModel(bytes);
  const locations = externalLocations(model);
  if (locations.length === 0) return bytes;
  embedExternalData(model, new Map(locations.flatMap((name, i) => (weights[i] ? [[name, weights[i]] as const] : []))));
  return encodeModel(model);
}

/** The same from their paths. */
export async function readOnnx(paths: readonly string[]): Promise<Uint8Array> {
  return selfContained(await Promise.all(paths.map(readBytes)));
}

/** A plain `Uint8Array`: the `slice` of Node's buffers does not copy, which readers of bytes rely on. */
export async function readBytes(path: string): Promise<Uint8Array> {
  const { buffer, byteOffset, byteLength } = await readFile(path);
  return new Uint8Array(buffer, byteOffset, byteLength);
}
