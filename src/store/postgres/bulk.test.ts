import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { type PostgresServer, postgresPrograms, startPostgres } from '../../../test/postgres/server.ts';
import fc from '../../../test/properties.ts';
import type { SqlValue } from '../sql/sql-value.ts';
import { runBatch } from './batch.ts';
import { bulkFormOf, bulkQuery } from './bulk.ts';
import { numbered } from './query.ts';
import { Transaction } from './transaction.ts';

test('statements of rows become statements over arrays; others are left', () => {
  const types = ['bytea', 'text', 'int4'];
  const arrays = 'unnest($1::bytea[], $2::text[], $3::int4[]) as v(p1, p2, p3)';
  for (const [row, many] of [
    [
      'insert into t (a, b, c, d) values (?, ?, 0, ?) on conflict (a, c) do update set b = excluded.b where t.d < excluded.d',
      `insert into t (a, b, c, d) select v.p1, v.p2 collate "C", 0, v.p3 from ${arrays} on conflict (a, c) do update set b = excluded.b where t.d < excluded.d`,
    ],
    [
      'delete from t where a = ? and b <> ? and c = ?',
      `delete from t using ${arrays} where a = v.p1 and b <> v.p2 collate "C" and c = v.p3`,
    ],
    [
      'update t set a = ?, b = ? where c = ?',
      `update t set a = v.p1, b = v.p2 collate "C" from ${arrays} where c = v.p3`,
    ],
  ] as const) {
    assert.equal(bulkFormOf(row)?.text(types), many);
  }
  for (const other of [
    'update t set a = ? where b > ?',
    'update t set a = a + ? where b = ?',
    'insert into t (a) select ? where not exists (select 1 from u where b = ?)',
    'insert into t (a) values (?) on conflict (a) do update set b = ?',
    'delete from t where a in (?, ?)',
    'select setval(?, ?)',
  ]) {
    assert.equal(bulkFormOf(other), undefined, other);
  }
});

test('rows that the server has to judge one by one, or of which the last one stands, are left', () => {
  const put = bulkFormOf('insert into t (a, b) values (?, ?) on conflict (a) do update set b = excluded.b');
  const [text, int4] = [25, 23];
  assert.ok(put);
  assert.ok(
    bulkQuery(
      put,
      [text, int4],
      [
        ['a', 1],
        ['b', 1],
      ],
    ),
  );
  assert.equal(
    bulkQuery(
      put,
      [text, int4],
      [
        ['a', 1],
        ['a', 2],
      ],
    ),
    undefined,
  );
  assert.equal(bulkQuery(put, [text, int4], [['a', 1.5]]), undefined);
  assert.equal(bulkQuery(put, [text, int4], [['a', 2 ** 31]]), undefined);
  assert.equal(bulkQuery(put, [text, 1184], [['a', 'now']]), undefined);
  const set = bulkFormOf('update t set b = ? where a = ?');
  assert.equal(
    set &&
      bulkQuery(
        set,
        [int4, text],
        [
          [1, 'a'],
          [2, 'a'],
        ],
      ),
    undefined,
  );
});

const found = postgresPrograms();

describe('in PostgreSQL', { skip: 'missing' in found ? found.missing : false }, () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  before(async () => {
    server = await startPostgres();
    pool = new pg.Pool({ connectionString: server.url, max: 2 });
    await pool.query(`create table t (k text collate "C" not null, n smallint not null, b bytea, i integer, l bigint,
      d double precision, s text collate "C", primary key (k, n))`);
  });
  after(async () => {
    await pool.end();
    await server.stop();
  });

  const VALUE = fc.tuple(
    fc.oneof(fc.constantFrom('a', 'B', 'ä', 'ab', ''), fc.string()),
    fc.integer({ min: -2, max: 2 }),
    fc.option(fc.uint8Array({ maxLength: 5 })),
    fc.option(fc.integer()),
    fc.option(fc.maxSafeInteger()),
    fc.option(fc.double({ noNaN: true })),
    fc.option(fc.string({ unit: 'binary' })),
  );
  const STATEMENTS: Record<string, { readonly sql: string; readonly fields: readonly number[] }> = {
    replace: {
      sql: 'insert into t (k, n, b, i, l, d, s) values (?, ?, ?, ?, ?, ?, ?) on conflict (k, n) do update set b = excluded.b, i = excluded.i, l = excluded.l, d = excluded.d, s = excluded.s',
      fields: [0, 1, 2, 3, 4, 5, 6],
    },
    ignore: { sql: 'insert into t (k, n, i) values (?, 0, ?) on conflict (k, n) do nothing', fields: [0, 3] },
    remove: { sql: 'delete from t where k = ? and n <> ?', fields: [0, 1] },
    set: { sql: 'update t set i = ?, s = ? where k = ? and n = ?', fields: [3, 6, 0, 1] },
  };

  /** Does it in a transaction that is taken back. */
  async function outcome(work: (client: pg.PoolClient) => Promise<unknown>): Promise<unknown> {
    const client = await pool.connect();
    try {
      await client.query('begin');
      const changed = await work(client);
      const { rows } = await client.query('select * from t order by k, n');
      return { changed, rows };
    } finally {
      await client.query('rollback');
      client.release();
    }
  }

  test('all rows at once do what they do one after the other', async () => {
    const step = fc.tuple(
      fc.constantFrom(...Object.keys(STATEMENTS)),
      fc.array(VALUE, { minLength: 8, maxLength: 30 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
        const work = steps.map(([name, rows]) => {
          const { sql, fields } = STATEMENTS[name];
          return { sql, rows: rows.map((row) => fields.map((field): SqlValue => row[field])) };
        });
        const atOnce = await outcome(async (client) => {
          const transaction = new Transaction(
            async () => client,
            () => assert.fail('reads nothing'),
          );
          const changed: number[] = [];
          for (const { sql, rows } of work) {
            for (const row of rows) transaction.add(sql, row);
            changed.push(...(await transaction.changed()));
          }
          return changed;
        });
        const oneByOne = await outcome(async (client) => {
          const changed: number[] = [];
          for (const { sql, rows } of work) changed.push(await runBatch(client, numbered(sql), rows));
          return changed;
        });
        assert.deepEqual(atOnce, oneByOne);
      }),
      { numRuns: 60 },
    );
  });
});
