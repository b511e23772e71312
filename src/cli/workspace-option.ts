/** How commands that are printed say which workspace they are for. */
import { relative, resolve } from 'node:path';
import { shellWord, typedWord } from '../core/shell-word.ts';
import { isPostgresAddress, withoutPassword } from '../store/postgres/address.ts';

/** ` -w DIR`, by which a command finds the workspace from here; nothing for the one that it finds by itself. */
export function workspaceOption(typed: string): string {
  // As a shell takes it: an address has signs that mean something there.
  if (isPostgresAddress(typed)) return ` -w ${shellWord(withoutPassword(typed))}`;
  if (typed.includes('://') || resolve(typed) === resolve('.labelsmith')) return '';
  const near = relative('.', typed);
  const path = near.startsWith('..') ? resolve(typed) : near;
  return ` -w ${typedWord(path)}`;
}
