/** Versions and conditions of stores whose versions are etags (RFC 9110, 8.8.3 and 13.1). */
import type { PutCondition } from '../sink.ts';

/** Without its quotation marks. */
export function versionInEtag(etag = ''): string {
  return etag.replaceAll('"', '');
}

export function etagConditions(condition: PutCondition): { readonly ifNoneMatch?: string; readonly ifMatch?: string } {
  switch (condition.kind) {
    case 'any':
      return {};
    case 'absent':
      return { ifNoneMatch: '*' };
    case 'version':
      return { ifMatch: `"${condition.version}"` };
    default:
      return condition satisfies never;
  }
}
