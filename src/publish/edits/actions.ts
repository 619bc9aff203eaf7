import type { Action, ActionKind, LocalRecord } from '../../policy/action.ts';
import type {
  ActionChoice,
  Behaviour,
  BehaviourId,
  Policy,
  PolicyType,
} from '../../policy/model.ts';
import type { Edit } from './edit.ts';
import type { Fields } from './fields.ts';
import {
  LOCAL_RECORD_TYPES,
  localDataOctets,
  normaliseLocalData,
  normaliseRedirect,
} from './local-record.ts';

/** BIND refuses a whole transfer over an RRset of more (interop.md). */
export const LOCAL_RECORDS_MAX = 100;
const DATA_LENGTH_MAX = 4_096;
/** All records of one action: they stand together in one message of a transfer, twice with the wildcard. */
const LOCAL_DATA_OCTETS_MAX = 16_384;

const ACTIONS_OF_TYPE: Readonly<Record<PolicyType, readonly ActionKind[]>> = {
  ip: ['allow', 'block'],
  dns: ['allow', 'nxdomain', 'nodata', 'drop', 'tcp-only', 'redirect', 'local-data'],
};

export const ACTION_KINDS: readonly ActionKind[] = [
  'allow',
  'block',
  'drop',
  'nxdomain',
  'nodata',
  'tcp-only',
  'redirect',
  'local-data',
];

/** What an attachment may name: an action, or one that is kept as a behaviour. */
export const ACTION_CHOICE_KINDS = [...ACTION_KINDS, 'behaviour'] as const;

/** The actions that can be kept as a behaviour: those that say more than their kind. */
export const BEHAVIOUR_KINDS = ['redirect', 'local-data'] as const satisfies readonly ActionKind[];

/** The action that a policy of this type gives to new attachments when nobody says another. */
export const DEFAULT_ACTION: Readonly<Record<PolicyType, Action>> = {
  ip: { kind: 'block' },
  dns: { kind: 'nxdomain' },
};

/** Reads what `readAction` reads, or `{kind: 'behaviour', id}` with a behaviour of the policy's account. */
export function readActionChoice(
  edit: Edit,
  parent: Fields,
  key: string,
  policy: Pick<Policy, 'type' | 'accountId'>,
): ActionChoice {
  const raw = parent.raw(key);
  if (!isBehaviour(raw)) return readAction(parent, key, policy.type);
  const fields = parent.inside(key, raw);
  const kind = fields.choice('kind', ['behaviour'], {});
  const id = fields.integer('id', { min: 1, max: Number.MAX_SAFE_INTEGER }) as BehaviourId;
  const behaviour = edit.draft.model.behaviours.get(id);
  if (policy.type === 'ip') {
    const rule = 'Behaviours are redirects and local data, which IP policies do not know.';
    fields.refuse('action-not-for-type', 'kind', rule);
  } else if (fields.clean() && behaviour?.accountId !== policy.accountId) {
    fields.refuse('behaviour-unknown', 'id', `There is no behaviour ${id} in your account.`);
  }
  return { kind, id };
}

function isBehaviour(raw: unknown): boolean {
  return typeof raw === 'object' && raw !== null && 'kind' in raw && raw.kind === 'behaviour';
}

/** Reads the action that a behaviour stands for. */
export function readBehaviourAction(parent: Fields, key: string): Behaviour['action'] {
  const action = readAction(parent, key, 'dns');
  if (action.kind === 'redirect' || action.kind === 'local-data') return action;
  if (parent.clean()) {
    const rule = `A behaviour is one of ${BEHAVIOUR_KINDS.join(', ')}; other actions need no name.`;
    parent.refuse('invalid-value', key, rule);
  }
  return { kind: 'local-data', records: [] };
}

/**
 * Reads an action: `{kind}`, `{kind: 'redirect', to}` or `{kind: 'local-data', records}`, valid in
 * a policy of this type and in its normal form. A plain text is the kind alone.
 */
function readAction(parent: Fields, key: string, type: PolicyType): Action {
  const raw = parent.raw(key);
  const fields = parent.inside(key, typeof raw === 'string' ? { kind: raw } : raw);
  const kind = fields.choice('kind', ACTION_KINDS, {});
  if (!ACTIONS_OF_TYPE[type].includes(kind)) {
    const rule = `Actions of ${type.toUpperCase()} policies are ${ACTIONS_OF_TYPE[type].join(', ')}.`;
    fields.refuse('action-not-for-type', 'kind', rule);
    return DEFAULT_ACTION[type];
  }
  if (kind === 'redirect') return { kind, to: readRedirect(fields) };
  if (kind === 'local-data') return { kind, records: readRecords(fields) };
  return { kind };
}

function readRedirect(fields: Fields): string {
  const text = fields.text('to', { min: 1, max: DATA_LENGTH_MAX });
  if (text === '') return text;
  const checked = normaliseRedirect(text);
  if ('text' in checked) return checked.text;
  fields.refuse('redirect-target', 'to', checked.rule);
  return text;
}

function readRecords(fields: Fields): readonly LocalRecord[] {
  const items = fields.items('records', { itemsMax: LOCAL_RECORDS_MAX });
  const records = items.map((item, index) => readRecord(fields.item('records', index, item)));
  if (items.length === 0 && fields.has('records')) {
    fields.refuse('local-data', 'records', 'Local data has at least one record.');
  }
  // RFC 1034 section 3.6.2: where there is a CNAME, nothing else may be.
  if (records.length > 1 && records.some(({ type }) => type === 'CNAME')) {
    fields.refuse('local-data', 'records', 'A CNAME record stands alone.');
  }
  if (fields.clean() && localDataOctets(records) > LOCAL_DATA_OCTETS_MAX) {
    const rule = `Local data has at most ${LOCAL_DATA_OCTETS_MAX} octets in all.`;
    fields.refuse('local-data', 'records', rule);
  }
  const texts = new Set(records.map(({ type, data }) => `${type} ${data.toLowerCase()}`));
  if (texts.size < records.length && fields.clean()) {
    fields.refuse('local-data', 'records', 'No record is given twice, compared without case.');
  }
  return records;
}

function readRecord(fields: Fields): LocalRecord {
  const type = fields.choice('type', LOCAL_RECORD_TYPES, {});
  const data = fields.text('data', { min: 1, max: DATA_LENGTH_MAX });
  if (!fields.clean()) return { type, data };
  const checked = normaliseLocalData(type, data);
  if ('text' in checked) return { type, data: checked.text };
  const code = type === 'CNAME' ? 'redirect-target' : 'local-data';
  fields.refuse(code, 'data', checked.rule);
  return { type, data };
}
