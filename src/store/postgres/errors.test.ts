import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelsmithError } from '../../errors.ts';
import { translated } from './errors.ts';

test('a host that no name server knows is told at once, and is no fault of the program', () => {
  // The code of getaddrinfo as Node gives it: https://nodejs.org/api/errors.html#common-system-errors
  const error = translated(Object.assign(new Error('getaddrinfo ENOTFOUND db'), { code: 'ENOTFOUND' }), 'db/labels');
  assert.ok(error instanceof LabelsmithError);
  assert.equal(error.code, 'NETWORK');
  assert.match(error.message, /machine of db\/labels is not known/);
});

test('a server without TLS that is asked for it is told with what to do', () => {
  // What node-postgres says where the server answers N: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
  const error = translated(new Error('The server does not support SSL connections'), 'db/labels');
  assert.ok(error instanceof LabelsmithError);
  assert.equal(error.code, 'WORKSPACE');
  assert.match(`${error.message} ${error.hint}`, /does not speak .*sslmode=disable/);
});
