/** The conformance suite of the sink's contract (`src/sources/sink.ts`), run for every kind of sink. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import type { PutCondition, PutResult, Sink, SinkFile } from '../../src/sources/sink.ts';
import { inTemporaryFolder, isError } from './source.ts';

export interface SinkKind {
  readonly name: string;
  /** Opens the sink that belongs to `folder`; a second call opens the same one, as another process would. */
  open(folder: string): Promise<Sink>;
  /** Names of whatever lies in it beside its files: nothing may be left there. */
  leftovers(folder: string): Promise<readonly string[]>;
}

async function* piecesOf(bytes: Buffer, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function put(sink: Sink, key: string, content: string | Buffer, condition?: PutCondition): Promise<PutResult> {
  const bytes = Buffer.from(content);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return sink.put(key, piecesOf(bytes), { byteSize: bytes.length, sha256, condition });
}

async function written(result: Promise<PutResult>): Promise<SinkFile> {
  const { kind, ...rest } = await result;
  assert.equal(kind, 'written');
  return (rest as { file: SinkFile }).file;
}

const textOf = async (sink: Sink, key: string) => (await buffer(sink.open(key))).toString();

export function sinkContract(kind: SinkKind): void {
  const inSink = (work: (sink: Sink, again: Sink) => Promise<void>) =>
    inTemporaryFolder(async (folder) => {
      const [sink, again] = [await kind.open(folder), await kind.open(folder)];
      await work(sink, again);
      assert.deepEqual(await kind.leftovers(folder), []);
      await Promise.all([sink.close(), again.close()]);
    });

  describe(`sink contract: ${kind.name}`, () => {
    test('what is put is found and read again, under any good key', () =>
      inSink(async (sink, again) => {
        const keys = ['a.jpg', 'deep/er/a b.jpg', 'Ünïcode-日本/ü.jpg', `${'n'.repeat(251)}.jpg`, 'a%20b#?.jpg'];
        for (const key of keys) {
          assert.equal(await sink.find(key), undefined);
          const file = await written(put(sink, key, key));
          assert.equal(file.byteSize, Buffer.byteLength(key));
          assert.deepEqual(await again.find(key), file);
          assert.ok(file.uri.startsWith(`${sink.uri}/`), file.uri);
          assert.equal(await textOf(sink, key), key);
        }
        const large = Buffer.alloc(3_000_000, 'large ');
        await written(put(sink, 'large.bin', large));
        assert.ok(large.equals(await buffer(sink.open('large.bin'))));
        await written(put(sink, 'empty', ''));
        assert.equal(await textOf(sink, 'empty'), '');
        await assert.rejects(buffer(sink.open('nothing.jpg')), isError('NOT_FOUND'));
      }));

    test('a put over what is there replaces it and changes the version', () =>
      inSink(async (sink) => {
        const first = await written(put(sink, 'a', 'one'));
        const second = await written(put(sink, 'a', 'two'));
        assert.notEqual(first.version, second.version);
        assert.equal(await textOf(sink, 'a'), 'two');
      }));

    test('conditions: absent, and a version', () =>
      inSink(async (sink) => {
        assert.deepEqual(await put(sink, 'a', 'x', { kind: 'version', version: 'v' }), {
          kind: 'not-met',
          found: undefined,
        });
        const first = await written(put(sink, 'a', 'one', { kind: 'absent' }));
        assert.deepEqual(await put(sink, 'a', 'two', { kind: 'absent' }), { kind: 'not-met', found: first });
        const second = await written(put(sink, 'a', 'two', { kind: 'version', version: first.version }));
        assert.deepEqual(await put(sink, 'a', 'three', { kind: 'version', version: first.version }), {
          kind: 'not-met',
          found: second,
        });
        assert.equal(await textOf(sink, 'a'), 'two');
      }));

    test('of many puts at once under one condition, one writes', () =>
      inSink(async (sink, again) => {
        const sinks = [sink, again];
        const atOnce = (condition: PutCondition) =>
          Promise.all(Array.from({ length: 8 }, (_, i) => put(sinks[i % 2], 'a', `writer ${i}`, condition)));
        const winnerOf = (results: readonly PutResult[]) => {
          const winners = results.flatMap((result, i) => (result.kind === 'written' ? [i] : []));
          assert.equal(winners.length, 1);
          return winners[0];
        };
        const first = winnerOf(await atOnce({ kind: 'absent' }));
        assert.equal(await textOf(sink, 'a'), `writer ${first}`);
        const { version } = (await sink.find('a')) as SinkFile;
        const second = winnerOf(await atOnce({ kind: 'version', version }));
        assert.equal(await textOf(sink, 'a'), `writer ${second}`);
      }));

    test('bytes that are not what was promised, or that fail, leave what was there', () =>
      inSink(async (sink) => {
        const before = await written(put(sink, 'a', 'before'));
        const good = createHash('sha256').update('after').digest('hex');
        const bad = createHash('sha256').update('other').digest('hex');
        const after = () => piecesOf(Buffer.from('after'));
        for (const key of ['a', 'new/a']) {
          await assert.rejects(sink.put(key, after(), { byteSize: 5, sha256: bad }), isError('BAD_FILE', 'digest'));
          await assert.rejects(sink.put(key, after(), { byteSize: 4, sha256: good }), isError('BAD_FILE', 'digest'));
          await assert.rejects(sink.put(key, after(), { byteSize: 6, sha256: good }), isError('BAD_FILE', 'digest'));
          const failing = async function* () {
            yield Buffer.from('af');
            throw new Error('the camera is gone');
          };
          await assert.rejects(sink.put(key, failing(), { byteSize: 5, sha256: good }), /the camera is gone/);
          const signal = AbortSignal.abort();
          await assert.rejects(sink.put(key, after(), { byteSize: 5, sha256: good, signal }), isError('INTERRUPTED'));
        }
        assert.deepEqual(await sink.find('a'), before);
        assert.equal(await sink.find('new/a'), undefined);
      }));

    test('keys that lead out, or that no file can have, are refused', () =>
      inSink(async (sink) => {
        const bad = [
          '',
          '/a',
          'a/',
          'a//b',
          '..',
          '../a',
          'a/../b',
          './a',
          '.hidden',
          'a\\b',
          'a\nb',
          'a\0b',
          '\ud800',
        ];
        for (const key of [...bad, 'n'.repeat(256), `${'d/'.repeat(600)}a`]) {
          await assert.rejects(put(sink, key, 'x'), isError('REFUSED'), JSON.stringify(key));
          await assert.rejects(sink.find(key), isError('REFUSED'));
        }
      }));
  });
}
