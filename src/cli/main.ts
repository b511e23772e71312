#!/usr/bin/env node
/**
 * The process's start. What is loaded is loaded behind the check of Node's version, and compiled once: Node keeps the
 * bytecode of modules in its compile cache in the system's folder for temporary files.
 */
import module from 'node:module';
import './node-version.ts';
import './experimental-warnings.ts';

module.enableCompileCache();
await import('./process.ts');
