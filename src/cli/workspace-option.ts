/** How commands that are printed say which workspace they are for. */
import { relative, resolve } from 'node:path';
import { typedWord } from '../core/shell-word.ts';

/** ` -w DIR`, by which a command finds the workspace from here; nothing for the one that it finds by itself. */
export function workspaceOption(typed: string): string {
  // An address may hold a password.
  if (typed.includes('://') || resolve(typed) === resolve('.labelsmith')) return '';
  const near = relative('.', typed);
  const path = near.startsWith('..') ? resolve(typed) : near;
  return ` -w ${typedWord(path)}`;
}
