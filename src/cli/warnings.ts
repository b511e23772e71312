/**
 * Imported before anything else: warnings that are no user's concern are not printed. `node:sqlite` still calls itself
 * experimental on Node 22; what Google's client reads through has eleven listeners a download, which are gone with it.
 */
const emitWarning = process.emitWarning.bind(process) as (...args: unknown[]) => void;

process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
  const isOfGoogle =
    warning instanceof Error &&
    warning.name === 'MaxListenersExceededWarning' &&
    /[\\/]teeny-request[\\/]/.test(warning.stack ?? '');
  if (!isOfGoogle && !String(warning).includes('SQLite is an experimental feature')) emitWarning(warning, ...rest);
};
