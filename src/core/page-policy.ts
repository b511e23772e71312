/**
 * The content security policy of a page that is complete in itself: no request of any kind, pictures that are in it, and
 * of styles and scripts only those that are named here, by their hashes. Every page that is written has one.
 */
import { createHash } from 'node:crypto';

export interface PageParts {
  /** Text between `<style>` and `</style>`, exactly. */
  readonly style: string;
  /** Text between `<script>` and `</script>`; none runs where there is none. */
  readonly script?: string;
}

export function pagePolicy({ style, script }: PageParts): string {
  return [
    "default-src 'none'",
    'img-src data:',
    `style-src '${hashOf(style)}'`,
    ...(script === undefined ? [] : [`script-src '${hashOf(script)}'`]),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
