import type { Account, CatalogHandover, Model } from '../../policy/model.ts';
import type { Edit } from './edit.ts';
import type { Fields } from './fields.ts';
import { RENAME_GRACE_MS } from './policies.ts';

export const CATALOG_CHOICES = [
  'both',
  'account',
  'server',
] as const satisfies readonly Account['catalogs'][];
/** How long a change of ownership is announced when nothing else is said: the usual SOA refresh. */
const ANNOUNCED_MS = 15 * 60_000;

/**
 * Reads which catalog zones list the zones of an account. From its own to that of the server, or
 * back, they change over in two steps (RFC 9432 section 4.3.1), for which consumers get the time.
 */
export function readCatalogs(
  { draft, settings }: Edit,
  fields: Fields,
  account: Account,
): Pick<Account, 'catalogs' | 'handover'> {
  const { handover } = account;
  const catalogs = fields.choice('catalogs', CATALOG_CHOICES, { otherwise: account.catalogs });
  if (catalogs === account.catalogs) return { catalogs, handover };
  if (handover?.phase === 'announced' && catalogs !== 'both') return { catalogs, handover: null };
  if (handover !== null) {
    const until = new Date(handover.until).toISOString();
    const rule = `The zones of account "${account.label}" change over to another catalog until ${until} at least.`;
    fields.refuse('invalid-value', 'catalogs', rule);
  }
  if (catalogs === 'both' || account.catalogs === 'both') return { catalogs, handover: null };
  const until = draft.now + (settings.handoverAnnouncedMs ?? ANNOUNCED_MS);
  return { catalogs, handover: { phase: 'announced', until } };
}

/** Carries on the changes of ownership whose phase is over; returns how many. */
export function advanceHandovers({ draft, settings }: Pick<Edit, 'draft' | 'settings'>): number {
  const due = [...draft.model.accounts.values()].filter(
    ({ handover }) => handover !== null && handover.until <= draft.now,
  );
  const graceMs = settings.renameGraceMs ?? RENAME_GRACE_MS;
  for (const account of due) {
    const handover: CatalogHandover | null =
      account.handover?.phase === 'announced'
        ? { phase: 'listed', until: draft.now + graceMs }
        : null;
    draft.put('account', { ...account, handover });
  }
  return due.length;
}

/** When the next phase ends (Unix milliseconds), or null when no zones change over. */
export function nextHandover({ accounts }: Pick<Model, 'accounts'>): number | null {
  let next: number | null = null;
  for (const { handover } of accounts.values()) {
    if (handover !== null && (next === null || handover.until < next)) next = handover.until;
  }
  return next;
}
