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
  'last-admin': { status: 409, title: 'The last admin token cannot go' },
  'built-in': { status: 403, title: 'Built-in targets are read-only' },
  predefined: { status: 403, title: 'Predefined policies are read-only' },

  'label-form': { status: 422, title: 'The text is not usable as a DNS label' },
  'name-form': { status: 422, title: 'The text is not a domain name' },
  'address-form': { status: 422, title: 'The text is not an address or prefix' },
  'address-unusable': { status: 422, title: 'The address cannot be used here' },
  'type-fixed': { status: 409, title: 'A type cannot be changed' },

  'indicators-rejected': { status: 422, title: 'Some lines are not indicators' },
  'nothing-accepted': { status: 422, title: 'No line is an indicator' },
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
  'attached-already': { status: 409, title: 'It is attached already' },
  'list-in-predefined': { status: 422, title: 'Predefined policies hold no user-defined lists' },
  'redirect-target': { status: 422, title: 'The redirect target is not usable' },
  'local-data': { status: 422, title: 'The local data are not usable' },
  'tcp-only-unbound': {
    status: 422,
    title: 'Unbound crashes on TCP-only with name server triggers',
  },

  'access-mode': { status: 422, title: 'The access mode does not fit the device' },
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
