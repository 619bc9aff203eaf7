/**
 * Every refusal of an edit, in one table. 400 says that the input itself is malformed, 422 that it
 * is well-formed but breaks a rule, 403 and 409 that the model as it stands does not allow it.
 */
export const MODEL_ERRORS = {
  'field-missing': { status: 400, title: 'A required field is missing' },
  'field-unknown': { status: 400, title: 'There is no such field' },
  'field-type': { status: 400, title: 'A field has the wrong type' },
  'invalid-value': { status: 400, title: 'A field has a value that is not allowed' },

  'not-found': { status: 404, title: 'There is no such thing' },
  'reference-unknown': { status: 422, title: 'The input names a thing that does not exist' },

  'name-taken': { status: 409, title: 'The name is taken' },
  'still-in-use': { status: 409, title: 'Something else still uses it' },
  busy: { status: 503, title: 'Too many edits are waiting' },
  'last-admin': { status: 409, title: 'The last admin cannot go' },
  'not-allowed': { status: 403, title: 'The account has no right to this' },
  'entitled-already': { status: 409, title: 'The account is entitled to it already' },
  'not-entitled': { status: 403, title: 'The account is not entitled to a partner target' },
  'catalogue-read-only': {
    status: 403,
    title: 'The catalogue is kept by the account that runs the server',
  },
  'list-shared': { status: 403, title: 'A list that another account shares is read-only' },
  'wrong-password': { status: 403, title: 'The password is wrong' },
  'entity-changed': { status: 412, title: 'Somebody else has changed it meanwhile' },
  'confirmation-needed': {
    status: 409,
    title: 'The change is above the limits and cannot be held',
  },
  'held-full': { status: 409, title: 'Too many changes are held already' },
  'built-in': { status: 403, title: 'Built-in targets are read-only' },
  predefined: { status: 403, title: 'Predefined policies are read-only' },

  'label-form': { status: 422, title: 'The text is not usable as a DNS label' },
  'name-form': { status: 422, title: 'The text is not a domain name' },
  'address-form': { status: 422, title: 'The text is not an address or prefix' },
  'address-unusable': { status: 422, title: 'The address cannot be used here' },
  'type-fixed': { status: 409, title: 'A type cannot be changed' },
  'fed-by-feed': { status: 409, title: 'A feed keeps the target' },
  'nothing-held': { status: 409, title: 'Nothing is held' },
  'feed-running': { status: 409, title: 'A run is under way' },
  'feed-source': { status: 422, title: 'The source cannot be used' },
  'feed-schedule': { status: 422, title: 'The schedule cannot be read' },
  'name-fixed': { status: 409, title: 'The name cannot be changed' },
  'password-form': { status: 422, title: 'The password is not good enough' },

  'indicators-rejected': { status: 422, title: 'Some lines are not indicators' },
  'nothing-accepted': { status: 422, title: 'No line is an indicator' },
  'text-form': { status: 400, title: 'The text cannot be read' },
  'entry-form': { status: 422, title: 'The entry is not an address, prefix, range or name' },
  'entry-expired': { status: 422, title: 'The entry has expired already' },
  'list-full': { status: 422, title: 'The list is full' },

  'action-not-for-type': {
    status: 422,
    title: 'The action does not exist in policies of this type',
  },
  'action-not-supported': { status: 422, title: 'The target does not support the action' },
  'action-of-list': { status: 422, title: 'A list acts by its own action in IP policies' },
  'no-addresses': { status: 422, title: 'IP policies take only what holds addresses' },
  'bundle-empty': { status: 422, title: 'The bundle holds no target' },
  'attached-already': { status: 409, title: 'It is attached already' },
  'list-in-predefined': { status: 422, title: 'Predefined policies hold no user-defined lists' },
  'redirect-target': { status: 422, title: 'The redirect target is not usable' },
  'local-data': { status: 422, title: 'The local data are not usable' },
  'tcp-only-unbound': {
    status: 422,
    title: 'Unbound crashes on TCP-only with name server triggers',
  },

  'actions-full': { status: 409, title: 'There are too many different actions' },
  'behaviour-unknown': { status: 422, title: 'There is no such behaviour in the account' },
  'rolled-back': { status: 409, title: 'The policy is rolled back' },
  'serial-unknown': { status: 404, title: 'The serial is not retained' },
  'account-full': { status: 409, title: 'The account has as many of these as it may' },
  'account-not-empty': { status: 409, title: 'The account is not empty' },
  'export-type': { status: 422, title: 'A policy of this type has no such export' },
  'backup-form': { status: 422, title: 'The backup cannot be restored' },

  'access-mode': { status: 422, title: 'The access mode does not fit the device' },
  'device-scope': { status: 422, title: 'The scope does not fit the device' },
  'profile-type': { status: 422, title: 'The model does not fit devices of this type' },
  'policy-type': { status: 422, title: 'The device takes policies of another type' },
  'key-algorithm': { status: 422, title: 'The algorithm is not allowed' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type ModelErrorCode = keyof typeof MODEL_ERRORS;

/** One broken rule: which field broke it, with which value, and the rule as a sentence. */
export interface Refusal {
  readonly code: ModelErrorCode;
  /** Path in the input, for example `attachments[2].action.to`. */
  readonly field: string;
  readonly value: unknown;
  readonly rule: string;
}

/**
 * An edit was refused. The fields are those of the first refusal; `refusals` has every one that
 * was found in the same input.
 */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly code: ModelErrorCode;
  readonly field: string;
  readonly value: unknown;
  readonly rule: string;
  readonly refusals: readonly Refusal[];

  constructor(
    code: ModelErrorCode,
    { field, value, rule }: Omit<Refusal, 'code'>,
    others: readonly Refusal[] = [],
  ) {
    super(`${MODEL_ERRORS[code].title}: ${field}: ${rule}`);
    this.code = code;
    this.field = field;
    this.value = value;
    this.rule = rule;
    this.refusals = [{ code, field, value, rule }, ...others];
  }
}
