/**
 * Memory for decoded images that is used again and again.
 *
 * A fresh array an image is what V8 counts as garbage: at 0.8 MB each it collected the whole heap every 40 images, which
 * took a seventh of a detector's core time. These stand in shared memory, so threads read them without a copy.
 */
export interface BufferPool {
  /** One that nobody holds, with whatever was in it. */
  take(): Uint8Array;
  /** For the next one; its holder must not touch it any more. */
  giveBack(canvas: Uint8Array): void;
}

/** Holds as many as were ever out at once. */
export function bufferPool(byteLength: number): BufferPool {
  const free: Uint8Array[] = [];
  return {
    take: () => free.pop() ?? new Uint8Array(new SharedArrayBuffer(byteLength)),
    giveBack: (canvas) => void free.push(canvas),
  };
}
