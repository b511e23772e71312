/** A thread that decodes one HEIF file after the other. */
import { messageOf } from '../../errors.ts';
import { serve } from '../../threads/serve.ts';
import { HeifDecoder, HeifError, type HeifFailure, type HeifImage } from './libheif.ts';

export interface HeifRequest {
  readonly bytes: Uint8Array;
  readonly maxPixels: number;
}

/** `spent` asks for the thread to be ended: its memory has grown, and WebAssembly never gives memory back. */
export type HeifReply = { readonly spent: boolean } & (
  | { readonly kind: 'image'; readonly image: HeifImage }
  | { readonly kind: 'failure'; readonly failure: HeifFailure }
);

/** What a photograph of 24 million pixels leaves behind is kept for the next one. */
const KEPT_HEAP_BYTES = 256 * 1024 * 1024;

let decoder: HeifDecoder | undefined;

function answer({ bytes, maxPixels }: HeifRequest): HeifReply {
  decoder ??= new HeifDecoder();
  try {
    const image = decoder.decode(bytes, maxPixels);
    return { kind: 'image', image, spent: decoder.heapBytes > KEPT_HEAP_BYTES };
  } catch (error) {
    if (error instanceof HeifError) {
      return { kind: 'failure', failure: error.failure, spent: decoder.heapBytes > KEPT_HEAP_BYTES };
    }
    // The module itself gave up: out of its memory, or it read where nothing is. Its state is not to be trusted.
    const message = messageOf(error);
    const reason = /memory|OOM|allocat/i.test(message) && !/out of bounds/i.test(message) ? 'memory' : 'corrupt';
    return { kind: 'failure', failure: { reason, message }, spent: true };
  }
}

serve<undefined, HeifRequest, HeifReply>(() => (request) => {
  const reply = answer(request);
  if (reply.kind === 'failure') return { reply };
  const { tiff, exif } = reply.image;
  return { reply, transfer: exif ? [tiff.buffer, exif.buffer] : [tiff.buffer] };
});
