import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresAddress, withoutPassword } from './address.ts';

test('an address says its database and schema, and what else it sets goes to the client', () => {
  const { schema, database, shown, connectionString } = postgresAddress(
    'postgres://me:secret@db:5433/a%20b?schema=pile&sslmode=verify-full&sslrootcert=/ca.pem',
  );
  assert.deepEqual([schema, database, shown], ['pile', 'a b', 'postgres://db:5433/a%20b?schema=pile']);
  assert.equal(connectionString, 'postgres://me:secret@db:5433/a%20b?sslmode=verify-full&sslrootcert=%2Fca.pem');
  // As services write their addresses: these are libpq's.
  for (const known of ['channel_binding=require', 'target_session_attrs=read-write', 'connect_timeout=10']) {
    assert.match(postgresAddress(`postgres://db/x?${known}`).connectionString, new RegExp(known));
  }
});

test('a setting that nobody knows is refused, with the one that was meant', () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => postgresAddress(text), { code: 'USAGE', message });
  refused('postgres://db/x?shema=pile', /setting "shema", which is not taken; do you mean schema\?/);
  refused('postgres://db/x?schema=a&sslmod=require', /do you mean ssl or sslmode\?/);
  // It would take the place of the schema's search path.
  refused('postgres://db/x?options=-csearch_path%3Dpublic', /setting "options", which is not taken/);
  refused('postgres://db/x?Schema=a', /do you mean schema\?/);
});

test('an address for people has no password', () => {
  assert.equal(withoutPassword('postgres://me:secret@db/x?password=secret&schema=a'), 'postgres://me@db/x?schema=a');
});
