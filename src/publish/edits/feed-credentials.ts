import { NOT_FOR_CREDENTIALS } from '../../policy/credential-headers.ts';
import type { FeedCredentials } from '../../policy/model.ts';
import { type Form, readPart, readSecret, SECRET_LENGTH_MAX } from './feed-secret.ts';
import type { Fields } from './fields.ts';

export const CREDENTIAL_KINDS = ['none', 'bearer', 'basic', 'header'] as const;

/** How a source is told who asks. `known` is what was there, if it may go on being used. */
export function readCredentials(given: Fields, known: FeedCredentials | null): FeedCredentials {
  const fields = given.inside('credentials');
  const isKept = known !== null && known.kind !== 'none';
  const kind = fields.choice('kind', CREDENTIAL_KINDS, isKept ? { otherwise: known.kind } : {});
  switch (kind) {
    case 'none':
      return { kind };
    case 'bearer': {
      const kept = known?.kind === kind ? known.token : null;
      return { kind, token: readSecret(fields, 'token', { kept, form: BEARER }) };
    }
    case 'basic': {
      const kept = known?.kind === kind ? known : null;
      return {
        kind,
        user: readPart(fields, 'user', { kept: kept?.user ?? null, form: USER }),
        password: readSecret(fields, 'password', { kept: kept?.password ?? null, form: PASSWORD }),
      };
    }
    case 'header': {
      const kept = known?.kind === kind ? known : null;
      return {
        kind,
        name: readHeaderName(fields, kept?.name ?? null),
        value: readSecret(fields, 'value', { kept: kept?.value ?? null, form: HEADER_VALUE }),
      };
    }
  }
}

const matches = (pattern: RegExp) => (text: string) => pattern.test(text);

/** RFC 6750 section 2.1, and what else is seen in practice without ending the header. */
const BEARER: Form = {
  isGood: matches(/^[\x21-\x7e]+$/),
  rule: `The token has 1 to ${SECRET_LENGTH_MAX} visible characters of ASCII.`,
};
/** RFC 7617 section 2: the first colon ends the user's name. */
const USER: Form = {
  isGood: matches(/^[^:\p{Cc}]+$/u),
  rule: `The user has 1 to ${SECRET_LENGTH_MAX} characters, no colon among them.`,
};
const PASSWORD: Form = {
  isGood: matches(/^[^\p{Cc}]+$/u),
  rule: `The password has 1 to ${SECRET_LENGTH_MAX} characters, no control characters among them.`,
};
/** RFC 9110 section 5.5. */
const HEADER_VALUE: Form = {
  isGood: matches(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/),
  rule: `The value has 1 to ${SECRET_LENGTH_MAX} characters of ASCII, no blank at its ends.`,
};
/** RFC 9110 section 5.6.2. */
const HEADER_NAME: Form = {
  isGood: matches(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/),
  rule: 'The name of a header has 1 to 100 letters, digits and hyphens.',
};
function readHeaderName(fields: Fields, kept: string | null): string {
  const name = readPart(fields, 'name', { kept, form: HEADER_NAME });
  if (NOT_FOR_CREDENTIALS.has(name.toLowerCase())) {
    fields.refuse('feed-source', 'name', `The header ${name} is not for credentials.`);
  }
  return name;
}
