import { Type } from 'typebox';
import { MODEL_ERRORS } from '../../policy/model-error.ts';
import { notFound } from '../../publish/edits/index.ts';
import { HTTP_PROBLEMS } from '../problem.ts';
import { answers } from '../views/common.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['problems'];
const ProblemKindSchema = Type.Object(
  { code: Type.String(), status: Type.Integer(), title: Type.String() },
  { examples: [{ code: 'not-found', status: 404, title: 'There is no such thing' }] },
);

const KINDS = Object.entries({ ...HTTP_PROBLEMS, ...MODEL_ERRORS }).map(([code, kind]) => ({
  code,
  status: kind.status,
  title: kind.title,
}));

/** What the `type` of every problem leads to (RFC 9457 section 3.1.1). */
export function registerProblems(app: ApiApp): void {
  app.get(
    '/problems',
    {
      config: { access: 'open' },
      schema: {
        tags,
        summary: 'List the kinds of problem',
        response: answers(200, Type.Object({ items: Type.Array(ProblemKindSchema) })),
      },
    },
    () => ({ items: KINDS }),
  );

  app.get(
    '/problems/:code',
    {
      config: { access: 'open' },
      schema: {
        tags,
        summary: 'Get a kind of problem',
        params: Type.Object({ code: Type.String({ maxLength: 64, examples: ['not-found'] }) }),
        response: answers(200, ProblemKindSchema),
      },
    },
    (request) => {
      const kind = KINDS.find(({ code }) => code === request.params.code);
      if (kind === undefined) throw notFound('kind of problem', request.params.code);
      return kind;
    },
  );
}
