import { type Static, Type } from 'typebox';
import { MODEL_ERRORS, type ModelError, type Refusal } from '../policy/model-error.ts';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';
/** Where the kinds of problem are explained; a problem's `type` is a path below it. */
const PROBLEMS_PATH = '/api/v1/problems';

/** Problems that arise before or outside an edit. */
export const HTTP_PROBLEMS = {
  unauthenticated: { status: 401, title: 'A valid bearer token is required' },
  forbidden: { status: 403, title: 'The token has no right to this' },
  'no-such-route': { status: 404, title: 'There is nothing at this address' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'media-type': { status: 415, title: 'The body has a media type that is not taken here' },
  'body-form': { status: 400, title: 'The body cannot be read' },
  'request-form': { status: 400, title: 'The request cannot be read' },
  'too-many-failures': { status: 429, title: 'Too many requests without a valid token' },
  internal: { status: 500, title: 'The server failed; nothing was changed' },
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

  constructor(problem: HttpProblemCode, detail: string) {
    super(detail);
    this.problem = problem;
  }
}

export function problemOfCode(code: HttpProblemCode, detail: string): Problem {
  const { status, title } = HTTP_PROBLEMS[code];
  return { type: `${PROBLEMS_PATH}/${code}`, title, status, detail };
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
    value: shownValue(error.value),
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
  return { type: `${PROBLEMS_PATH}/${code}`, title, field, value: shownValue(value), rule };
}

/** The value as it was given, unless it is long: a problem quotes, it does not repeat a body. */
function shownValue(value: unknown): unknown {
  if (typeof value === 'string') return cut(value);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const text = JSON.stringify(value) ?? '';
  return text.length <= VALUE_CHARACTERS_MAX ? value : cut(text);
}

function cut(text: string): string {
  return text.length <= VALUE_CHARACTERS_MAX ? text : `${text.slice(0, VALUE_CHARACTERS_MAX)}…`;
}
