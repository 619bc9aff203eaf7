import { HIDDEN_SECRET } from '../../policy/feed-source.ts';
import type { Fields } from './fields.ts';

export const SECRET_LENGTH_MAX = 4_096;

/** How a part of credentials is written. */
export interface Form {
  readonly isGood: (text: string) => boolean;
  /** As a sentence that does not repeat the text. */
  readonly rule: string;
}

/** A secret that is left out, or sent back as it was shown, stays what it was. */
export function readSecret(
  fields: Fields,
  key: string,
  { kept, form }: { readonly kept: string | null; readonly form: Form },
): string {
  const isShown = fields.raw(key) === HIDDEN_SECRET;
  if (!isShown) return readPart(fields, key, { kept, form });
  if (kept !== null) return kept;
  const rule = `There is no ${key} that could be kept for this server: give it again.`;
  refuseQuietly(fields, key, rule);
  return '';
}

/** Not trimmed, and never quoted: the answer may be logged on its way. */
export function readPart(
  fields: Fields,
  key: string,
  { kept, form }: { readonly kept: string | null; readonly form: Form },
): string {
  const value = fields.raw(key);
  if (value === undefined && kept !== null) return kept;
  const isGood =
    typeof value === 'string' && value.length <= SECRET_LENGTH_MAX && form.isGood(value);
  if (isGood) return value;
  refuseQuietly(fields, key, form.rule);
  return '';
}

/** For what may hold a secret. */
export function refuseQuietly(fields: Fields, key: string, rule: string): void {
  fields.adopt([{ code: 'feed-source', field: fields.path(key), value: null, rule }]);
}
