/** The thread behind `segmenter.ts`: one crop after the other, in the order they come. */
import { parentPort } from 'node:worker_threads';
import type { MaskRle } from '../../core/dataset.ts';
import { LabelsmithError, messageOf } from '../../errors.ts';
import { type BoxCrop, maskOfCrop } from './crop.ts';
import type { SegmentSettings } from './grab-cut.ts';

export interface SegmentRequest {
  readonly id: number;
  readonly crop: BoxCrop;
  readonly settings: SegmentSettings;
}

export type SegmentReply =
  | { readonly id: number; readonly kind: 'done'; readonly mask: MaskRle }
  | { readonly id: number; readonly kind: 'failed'; readonly message: string };

const port = parentPort;
if (!port) throw new LabelsmithError('UNSUPPORTED', 'segmenter.worker is started by openSegmenter, in its own thread');

port.on('message', ({ id, crop, settings }: SegmentRequest) => {
  let reply: SegmentReply;
  try {
    reply = { id, kind: 'done', mask: maskOfCrop(crop, settings) };
  } catch (error) {
    reply = { id, kind: 'failed', message: messageOf(error) };
  }
  port.postMessage(reply);
});
