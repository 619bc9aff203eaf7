/** One resource record's content in presentation form, for local data. */
export interface LocalRecord {
  readonly type: 'A' | 'AAAA' | 'TXT' | 'MX' | 'CNAME';
  readonly data: string;
}

/**
 * What happens to a query that a rule covers. IP policies know `allow` and `block`; DNS policies
 * know `allow` (PASSTHRU) and the others. `redirect.to` is an absolute name, or a wildcard
 * (`*.garden.example.`), which RPZ replaces by the query name (draft-vixie-dnsop-dns-rpz-00, 3.6).
 */
export type Action =
  | { readonly kind: 'allow' }
  | { readonly kind: 'block' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'nxdomain' }
  | { readonly kind: 'nodata' }
  | { readonly kind: 'tcp-only' }
  | { readonly kind: 'redirect'; readonly to: string }
  | { readonly kind: 'local-data'; readonly records: readonly LocalRecord[] };

export type ActionKind = Action['kind'];

/** Strength order of design: the lower, the stronger. `block` exists only in IP policies. */
const STRENGTH: Readonly<Record<ActionKind, number>> = {
  allow: 0,
  block: 1,
  drop: 1,
  nxdomain: 2,
  nodata: 3,
  'tcp-only': 4,
  redirect: 5,
  'local-data': 5,
};

/** A text that is equal exactly for equal actions. */
export function actionKey(action: Action): string {
  switch (action.kind) {
    case 'redirect':
      return `redirect ${action.to}`;
    case 'local-data':
      return `local-data ${JSON.stringify(action.records.map(({ type, data }) => [type, data]))}`;
    default:
      return action.kind;
  }
}

/** Orders actions from strongest to weakest; equal strengths by their key, so that the order is total. */
export function compareActions(a: Action, b: Action): number {
  const byStrength = STRENGTH[a.kind] - STRENGTH[b.kind];
  if (byStrength !== 0) return byStrength;
  const keyA = actionKey(a);
  const keyB = actionKey(b);
  return keyA < keyB ? -1 : keyA > keyB ? 1 : 0;
}
