import type { FastifyError, FastifyRequest } from 'fastify';
import { type Static, type TSchema, Type } from 'typebox';
import { ModelError } from '../../policy/model-error.ts';
import type { Edit } from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import {
  type AnyChangeRoute,
  ChangeQuery,
  changeAnswer,
  etagAfter,
  sendOutcome,
} from '../change-route.ts';
import { refuseIfMatch } from '../etag.ts';
import {
  BATCH_URL,
  type Operation,
  type OperationRequest,
  readOperation,
  withSwitches,
} from '../operation.ts';
import { type ChangeSwitches, prepareEdit } from '../prepare-edit.ts';
import { HttpProblem } from '../problem.ts';
import { problemOf } from '../problem-replies.ts';
import { BatchAnswerSchema, BatchSchema, WHOLE_ANSWER } from '../views/batch-view.ts';
import { ProblemAnswer } from '../views/common.ts';
import { HeldAnswerSchema } from '../views/preview-view.ts';
import type { ApiApp } from './app-type.ts';

type Batch = Static<typeof BatchSchema>;

export function registerBatch(app: ApiApp, context: ApiContext): void {
  const querystring = Type.Object(ChangeQuery, { additionalProperties: false });
  const whole = wholeBatch(context);
  // A batch as a whole is a change like any other: it can be tried, held, and confirmed.
  context.changeRoutes.push({ route: whole, querystring });
  app.post(
    BATCH_URL,
    {
      config: { access: 'editor' },
      bodyLimit: context.options.limits.textBodyMax,
      schema: {
        tags: ['batch'],
        summary: 'Make several changes',
        description:
          'As one change that is made whole or not at all, or row by row with a report. Each operation needs the role that its own request needs. Operations that take or tell secrets are refused.',
        querystring,
        body: BatchSchema,
        response: {
          200: BatchAnswerSchema,
          202: HeldAnswerSchema,
          '4xx': ProblemAnswer,
          '5xx': ProblemAnswer,
        },
      },
    },
    async (request, reply) => {
      refuseIfMatch(request);
      if (request.body.mode === 'rows') return runRows(context, request, request.body);
      const outcome = await context.run(request, whole);
      return sendOutcome(reply, changeAnswer(context, whole, request, outcome));
    },
  );
}

/** One operation of a batch that is made as a whole, when its edit can run. */
interface ReadyOperation extends Operation {
  readonly run: (edit: Edit) => unknown;
}

function wholeBatch(context: ApiContext): AnyChangeRoute {
  return {
    method: 'POST',
    url: BATCH_URL,
    access: 'editor',
    action: 'batch',
    tag: 'batch',
    summary: 'Make several changes',
    body: BatchSchema as TSchema,
    answer: WHOLE_ANSWER,
    async prepare({ body }, request) {
      const ready: ReadyOperation[] = [];
      for (const [index, given] of (body as Batch).operations.entries()) {
        ready.push(await named(index, () => readyOperation(context, request, given)));
      }
      return ready;
    },
    edit: (edit, { prepared }) =>
      (prepared as readonly ReadyOperation[]).map((operation, index) => ({
        operation,
        value: namedNow(index, () => operation.run(edit)),
      })),
    view: (made, request) => ({
      results: (made as readonly MadeOperation[]).map((each) =>
        wholeResult(context, each, request),
      ),
    }),
  };
}

interface MadeOperation {
  readonly operation: ReadyOperation;
  readonly value: unknown;
}

async function readyOperation(
  context: ApiContext,
  request: FastifyRequest,
  given: Batch['operations'][number],
): Promise<ReadyOperation> {
  const operation = readBatchOperation(context, request, given);
  return { ...operation, run: await prepareEdit(operation.route, operation.request) };
}

/** An operation that may be part of a batch. */
function readBatchOperation(
  context: ApiContext,
  request: FastifyRequest,
  given: Batch['operations'][number],
): Operation {
  const operation = readOperation(context, request, given as OperationRequest);
  const { route } = operation;
  const refuse = (rule: string): ModelError =>
    new ModelError('invalid-value', { field: 'path', value: given.path, rule });
  if (route.url === BATCH_URL) throw refuse('A batch holds no batch.');
  if (route.tellsSecret === true) throw refuse('What takes or tells a secret is sent by itself.');
  const { dryRun, confirm } = operation.request.query as ChangeSwitches;
  if (dryRun !== undefined || confirm !== undefined) {
    throw refuse('dryRun and confirm are said of the batch, not of its operations.');
  }
  return operation;
}

/** What an operation by itself would be answered, told of the model after the whole batch. */
function wholeResult(
  context: ApiContext,
  { operation, value }: MadeOperation,
  outer: FastifyRequest,
) {
  const { route, request } = operation;
  const { status = 200 } = route;
  const etag = etagAfter(context, route, request);
  const told = { status, ...(etag === undefined ? {} : { etag }) };
  try {
    return { ...told, answer: { ...route.view(value, request) } };
  } catch (error) {
    // A later operation may have removed what this one made; the batch is published all the same.
    outer.log.warn({ err: error }, 'an operation of a batch could not be shown');
    return { ...told, answer: {} };
  }
}

async function runRows(context: ApiContext, request: FastifyRequest, { operations }: Batch) {
  const { dryRun, confirm } = request.query as ChangeSwitches;
  if (dryRun === true) {
    const rule = 'A dry run looks at a batch as a whole: use the mode whole.';
    throw new ModelError('invalid-value', { field: 'dryRun', value: true, rule });
  }
  const results: RowResult[] = [];
  for (const given of operations) {
    results.push(await runRow(context, request, given, confirm === true));
  }
  const count = (holds: (result: RowResult) => boolean) => results.filter(holds).length;
  return {
    results,
    applied: count(({ status }) => status === 200 || status === 201),
    held: count(({ status }) => status === 202),
    refused: count(({ status }) => status >= 400),
  };
}

interface RowResult {
  readonly status: number;
  readonly etag?: string;
  readonly answer: Record<string, unknown>;
}

async function runRow(
  context: ApiContext,
  outer: FastifyRequest,
  given: Batch['operations'][number],
  confirm: boolean,
): Promise<RowResult> {
  try {
    const operation = withSwitches(readBatchOperation(context, outer, given), { confirm });
    const { route, request } = operation;
    const outcome = await context.run(request, route);
    const { status, etag, body } = changeAnswer(context, route, request, outcome);
    return { status, ...(etag === undefined ? {} : { etag }), answer: { ...body } };
  } catch (error) {
    const problem = problemOf(error as FastifyError, outer);
    if (problem.status >= 500) outer.log.error({ err: error }, 'an operation of a batch failed');
    return { status: problem.status, answer: { ...problem } };
  }
}

/** Runs a step of one operation; what it refuses is said of that operation. */
async function named<Value>(index: number, step: () => Promise<Value>): Promise<Value> {
  try {
    return await step();
  } catch (error) {
    throw ofOperation(index, error);
  }
}

function namedNow<Value>(index: number, step: () => Value): Value {
  try {
    return step();
  } catch (error) {
    throw ofOperation(index, error);
  }
}

function ofOperation(index: number, error: unknown): unknown {
  const name = `operations[${index}]`;
  if (error instanceof HttpProblem) {
    const { problem, message, refused, retryAfterSeconds } = error;
    const named = refused && { rule: message, ...refused, field: `${name}: ${refused.field}` };
    return new HttpProblem(problem, `${name}: ${message}`, named, retryAfterSeconds);
  }
  if (!(error instanceof ModelError)) return error;
  const [first, ...others] = error.refusals.map((refusal) => ({
    ...refusal,
    field: `${name}: ${refusal.field}`,
  }));
  return new ModelError(error.code, first!, others);
}
