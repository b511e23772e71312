#!/usr/bin/env node
/**
 * The process's start. What is loaded is loaded behind the check of Node's version, and compiled once: Node keeps the
 * bytecode of modules in its compile cache in the system's folder for temporary files.
 */
import module from 'node:module';
import { availableParallelism } from 'node:os';
import './node-version.ts';
import './warnings.ts';

// libuv makes its threads, which read and decode, when the first of them is needed: as many as there are cores, 4 at least.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));
module.enableCompileCache();
await import('./process.ts');
