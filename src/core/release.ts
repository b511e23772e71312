/**
 * Gives the memory of bytes that nobody needs any more back at once. V8 counts large arrays as a reason to collect its whole
 * heap, every 64 MB of them: files and pixels that are left to it cost an embedder a tenth of its core time.
 *
 * The array is empty afterwards, and so is every other view of its buffer; bytes that are a part of something larger, or
 * in shared memory, are left alone.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength && byteLength > 0) buffer.transfer(0);
}
