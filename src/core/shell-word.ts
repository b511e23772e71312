/** One word of a POSIX shell, whatever is in it: every sign means itself. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** As somebody would type it: with quotes only where a sign would mean something else. */
export function typedWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : shellWord(text);
}
