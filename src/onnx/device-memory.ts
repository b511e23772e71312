/**
 * How much memory a device has for what a run computes, as far as it can be told, and how many images a run may have then.
 *
 * ONNX Runtime does not say it. NVIDIA's driver does; of other devices nothing is known but what they share with the machine.
 */
import { execFile } from 'node:child_process';
import { freemem } from 'node:os';
import { promisify } from 'node:util';
import type { Device } from './device.ts';

/** What is taken for free where nobody says: a guess, on the low side for a graphics card of today. */
const UNKNOWN_BYTES = 1e9;
/** Of what is free; the rest is for weights, kernels' own space and whoever else uses the card. */
const USED_SHARE = 0.5;
/** A guess too, since no card was there to measure: more images at once cost waiting, and bring ever less. */
const MAX_IMAGES = 32;
const TIMEOUT_MS = 5000;

/** Free bytes of a device; null where nobody says. */
export async function freeBytesOf(device: Device): Promise<number | null> {
  switch (device) {
    case 'cuda':
    case 'tensorrt':
      return smallestFree(await nvidiaSmi());
    case 'cpu':
    case 'coreml':
      // Apple's graphics share the machine's memory.
      return freemem();
    case 'dml':
    case 'webgpu':
      return null;
    default:
      return device satisfies never;
  }
}

/** MiB a line, one a card; the card that is used is not known here, so the fullest one counts. Null where it is no such text. */
export function smallestFree(text: string): number | null {
  const mebibytes = text.trim().split(/\s+/).map(Number);
  return mebibytes.every((one) => Number.isInteger(one) && one > 0) ? Math.min(...mebibytes) * 2 ** 20 : null;
}

async function nvidiaSmi(): Promise<string> {
  const ask = ['--query-gpu=memory.free', '--format=csv,noheader,nounits'];
  const answer = promisify(execFile)('nvidia-smi', ask, { timeout: TIMEOUT_MS });
  return answer.then(
    ({ stdout }) => stdout,
    () => '',
  );
}

/**
 * Images a run, a power of two up to {@link MAX_IMAGES}: a bound that is tried, since a run that the device has too little memory
 * for is repeated with half as many.
 *
 * @param imageBytes of one image as the network takes it. @param widening what a network holds at once of an image, in such images
 */
export function imagesARun(freeBytes: number | null, imageBytes: number, widening: number): number {
  const fits = (USED_SHARE * (freeBytes ?? UNKNOWN_BYTES)) / (imageBytes * widening);
  return Math.max(1, Math.min(MAX_IMAGES, 2 ** Math.floor(Math.log2(Math.max(1, fits)))));
}
