import type { AccountId, Device } from './model.ts';

/** Whether a device is a name server that serves the zones on: it pulls all of them, by a catalog zone or a list. */
export function isSecondary({ type }: Pick<Device, 'type'>): boolean {
  return type === 'secondary';
}

/** Whether a secondary may read a zone of this account; null is what belongs to the whole server. */
export function isInScope(
  { scope, accountId }: Pick<Device, 'scope' | 'accountId'>,
  zone: { readonly accountId: AccountId | null },
): boolean {
  return scope === 'server' || zone.accountId === accountId;
}
