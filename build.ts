/**
 * Compiles `src` into `dist` from scratch, so that a deleted source never lives on there. It is compiled beside the old
 * `dist`, which stays as it is when that fails.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, renameSync, rmSync } from 'node:fs';

const NEW = 'dist.new';

rmSync(NEW, { recursive: true, force: true });
const compiled = spawnSync('tsc', ['-p', 'tsconfig.build.json', '--outDir', NEW], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
if (compiled.error) throw compiled.error;
if (compiled.status !== 0) {
  rmSync(NEW, { recursive: true, force: true });
  process.exit(compiled.status ?? 1);
}
chmodSync(`${NEW}/cli/main.js`, 0o755);
rmSync('dist', { recursive: true, force: true });
renameSync(NEW, 'dist');
