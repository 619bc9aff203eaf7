import { type Static, type TSchema, Type } from 'typebox';
import { PROBLEM_MEDIA_TYPE, ProblemSchema } from '../problem.ts';

/** An entity that was just changed is told by its time: a later reader sees whether it moved on. */
export const Times = {
  createdAt: Type.String({ format: 'date-time', examples: ['2030-01-31T12:00:00.000Z'] }),
  updatedAt: Type.String({ format: 'date-time', examples: ['2030-01-31T12:00:00.000Z'] }),
};

export function timesView(entity: { readonly createdAt: number; readonly updatedAt: number }): {
  createdAt: string;
  updatedAt: string;
} {
  return { createdAt: isoTime(entity.createdAt), updatedAt: isoTime(entity.updatedAt) };
}

export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

export const IdSchema = Type.Integer({ minimum: 1, examples: [1] });
export const IdParams = Type.Object({ id: IdSchema });
export type IdParams = Static<typeof IdParams>;

/** What another thing is called, so that a list needs no second request. */
export const NamedSchema = Type.Object({ id: IdSchema, name: Type.String() });

/** A count that may exceed 2^53 - 1: then it is a text, so that no digit is lost. */
export const CountSchema = Type.Union([Type.Integer(), Type.String({ pattern: '^[0-9]+$' })], {
  description: 'A number, or a text of digits above 2^53 - 1.',
});

export function countView(count: bigint | number): number | string {
  return count <= Number.MAX_SAFE_INTEGER ? Number(count) : count.toString();
}

export function nullable<Schema extends TSchema>(schema: Schema) {
  return Type.Union([schema, Type.Null()]);
}

/** The answers of a route: the good one, and problems for all that can go wrong. */
export function answers<Status extends number, Schema extends TSchema>(
  status: Status,
  schema: Schema,
): { readonly [Key in Status]: Schema } & Readonly<Record<'4xx' | '5xx', typeof ProblemAnswer>> {
  const good = { [status]: schema } as { readonly [Key in Status]: Schema };
  return { ...good, '4xx': ProblemAnswer, '5xx': ProblemAnswer };
}

export const ProblemAnswer = {
  description: 'A problem (RFC 9457).',
  content: { [PROBLEM_MEDIA_TYPE]: { schema: ProblemSchema } },
};
