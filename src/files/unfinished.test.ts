import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { isRunning } from './unfinished.ts';

test('a process that has ended runs no more, though its parent never asks how', {
  skip: platform() !== 'linux' && 'other systems are not asked',
}, async () => {
  // The shell becomes another program, which does not know that it has a child.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [said] = await once(parent.stdout, 'data');
    const child = Number(String(said));
    while (!readFileSync(`/proc/${parent.pid}/comm`, 'utf8').startsWith('sleep')) await wait(5);
    assert.ok(isRunning(child));
    process.kill(child, 'SIGKILL');
    while (isRunning(child)) await wait(5);
    assert.doesNotThrow(() => process.kill(child, 0), 'it is still listed');
    assert.ok(isRunning(process.pid));
  } finally {
    parent.kill('SIGKILL');
  }
});
