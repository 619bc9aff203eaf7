import { type Static, Type } from 'typebox';
import { MODEL_ERRORS, type ModelError, type Refusal } from '../policy/model-error.ts';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';
/** Where the kinds of problem are explained; a problem's `type` is a path below it. */
const PROBLEMS_PATH = '/api/v1/problems';

/** Problems that arise before or outside an edit. */
export const HTTP_PROBLEMS = {
  unauthenticated: { status: 401, title: 'A valid token or session is required' },
  'login-failed': { status: 401, title: 'The name or the password is wrong' },
  forbidden: { status: 403, title: 'The sender of the request has no right to this' },
  'foreign-page': { status: 403, title: 'The request comes from a page of another site' },
  'openid-refused': { status: 403, title: 'The login by OpenID Connect is refused' },
  'no-such-route': { status: 404, title: 'There is nothing at this address' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'media-type': { status: 415, title: 'The body has a media type that is not taken here' },
  'body-form': { status: 400, title: 'The body cannot be read' },
  'request-form': { status: 400, title: 'The request cannot be read' },
  'too-many-failures': { status: 429, title: 'Too many failures to authenticate' },
  internal: { status: 500, title: 'The server failed; nothing was changed' },
  'too-many-listeners': { status: 503, title: 'Too many listeners are connected' },
  unavailable: { status: 503, title: 'The server is not ready' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type HttpProblemCode = keyof typeof HTTP_PROBLEMS;

const RefusalSchema = Type.Object({
  type: Type.String({ description: 'Which rule: a path that explains it.' }),
  title: Type.String(),
  field: Type.String({ description: 'The field that broke the rule, as a path in the input.' }),
  value: Type.Unknown({ description: 'The value that was given.' }),
  rule: Type.String({ description: 'The rule as a sentence.' }),
});

/** RFC 9457, with the field, the value and the rule as extension members (section 3.2). */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'Which kind of problem: a path that explains it.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    field: Type.Optional(Type.String()),
    value: Type.Optional(Type.Unknown()),
    rule: Type.Optional(Type.String()),
    errors: Type.Optional(
      Type.Array(RefusalSchema, {
        description: 'All that was refused, when it is more than one thing.',
      }),
    ),
  },
  { description: 'A problem (RFC 9457).' },
);
export type Problem = Static<typeof ProblemSchema>;

/** An error that is a problem of the request itself. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly problem: HttpProblemCode;
  /** What of the request broke a rule; null when it is nothing in it. */
  readonly refused: Refused | null;
  /** For the header Retry-After (RFC 9110 section 10.2.3). */
  readonly retryAfterSeconds: number | null;

  constructor(
    problem: HttpProblemCode,
    detail: string,
    refused: Refused | null = null,
    retryAfterSeconds: number | null = null,
  ) {
    super(detail);
    this.problem = problem;
    this.refused = refused;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The part of a request that is refused: a field of its body, a header, or another part by its name. */
export interface Refused {
  readonly field: string;
  /** Null where it is a secret, or could be one. */
  readonly value: unknown;
  /** The detail of the problem when absent. */
  readonly rule?: string;
}

/** `field` is where the sender proves who it is; what it sent there is not quoted. */
export function tooManyFailures(waitSeconds: number, field: string): HttpProblem {
  const rule = 'After too many failures no more are looked at for a while.';
  const detail = `Try again in ${waitSeconds} s.`;
  return new HttpProblem('too-many-failures', detail, { field, value: null, rule }, waitSeconds);
}

/** A body that is longer than what takes it allows. */
export function bodyTooLarge(limit: number, octets: number | null): HttpProblem {
  const rule = `The body has at most ${limit} octets.`;
  return new HttpProblem('body-too-large', rule, { field: 'body', value: octets });
}

/** A body of a type that is not taken; `field` is where the type was named. */
export function wrongMediaType(
  taken: readonly string[],
  field: string,
  given: string | null,
): HttpProblem {
  const rule =
    taken.length === 0 ? 'No body is taken here.' : `The body comes as ${taken.join(' or ')}.`;
  return new HttpProblem('media-type', `${field}: ${rule}`, { field, value: given, rule });
}

export function problemOfCode(
  code: HttpProblemCode,
  detail: string,
  refused: Refused | null = null,
): Problem {
  const { status, title } = HTTP_PROBLEMS[code];
  const problem = { type: `${PROBLEMS_PATH}/${code}`, title, status, detail };
  if (refused === null) return problem;
  const { field, rule = detail } = refused;
  return { ...problem, field, value: shownValue(refused), rule };
}

/** One refusal is told by the problem's own members; several also as a list. */
export function problemOfModelError(error: ModelError): Problem {
  const { status, title } = MODEL_ERRORS[error.code];
  const count = error.refusals.length;
  const detail = `${error.field}: ${error.rule}`;
  return {
    type: `${PROBLEMS_PATH}/${error.code}`,
    title,
    status,
    detail: count === 1 ? detail : `${detail} (and ${count - 1} more)`,
    field: error.field,
    value: shownValue(error),
    rule: error.rule,
    ...(count === 1
      ? {}
      : { errors: error.refusals.slice(0, REFUSALS_SHOWN_MAX).map(refusalView) }),
  };
}

const REFUSALS_SHOWN_MAX = 100;
const VALUE_CHARACTERS_MAX = 300;

function refusalView({ code, field, value, rule }: Refusal): Static<typeof RefusalSchema> {
  const { title } = MODEL_ERRORS[code];
  return {
    type: `${PROBLEMS_PATH}/${code}`,
    title,
    field,
    value: shownValue({ field, value }),
    rule,
  };
}

/** What is never quoted, not even to who sent it: the answer may be logged on its way. */
export const SECRET_FIELD = /(password|secret|token)$|(^|\.)(credentials|key)(\.|$)/i;

/** The value as it was given, unless it is long: a problem quotes, it does not repeat a body. */
function shownValue({
  field,
  value,
}: {
  readonly field: string;
  readonly value: unknown;
}): unknown {
  if (SECRET_FIELD.test(field)) return null;
  if (typeof value === 'string') return cut(value);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const text = JSON.stringify(value, (key, inner) => (SECRET_FIELD.test(key) ? null : inner)) ?? '';
  return text.length <= VALUE_CHARACTERS_MAX ? JSON.parse(text) : cut(text);
}

function cut(text: string): string {
  return text.length <= VALUE_CHARACTERS_MAX ? text : `${text.slice(0, VALUE_CHARACTERS_MAX)}…`;
}
