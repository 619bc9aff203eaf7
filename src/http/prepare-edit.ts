import type { FastifyRequest } from 'fastify';
import type { Edit } from '../publish/edits/index.ts';
import type { AnyChangeRoute, ChangeInput } from './change-route.ts';
import { checkIfMatch, refuseIfMatch } from './etag.ts';

/** What the query of every change may say besides what its route knows. */
export interface ChangeSwitches {
  readonly dryRun?: boolean;
  readonly confirm?: boolean;
}

/**
 * The edit that a request asks a route for, once what it has to wait for is there. The ETag that the
 * request names is compared when the edit runs, so that nothing can come in between; and after it,
 * as RFC 9110 section 13.2.1 puts preconditions behind all other checks: who may not see a thing
 * learns of it what the edit tells, a 404, and nothing of its ETag. A draft whose edit throws is lost.
 *
 * What is compared is the thing as it was before the draft: the operations of a batch are one change,
 * which rests on what was read before it, however often it edits the same thing.
 */
export async function prepareEdit(
  route: AnyChangeRoute,
  request: FastifyRequest,
): Promise<(edit: Edit) => unknown> {
  const ifMatch = request.headers['if-match'];
  if (route.locks === undefined) refuseIfMatch(request);
  const { dryRun: _, confirm: __, ...query } = request.query as ChangeSwitches;
  const given = { params: request.params, query, body: request.body } as ChangeInput<
    never,
    never,
    never
  >;
  const prepared = await route.prepare?.(given as never, request);
  return (edit) => {
    const value = route.edit(edit, { ...given, prepared } as never, request);
    if (route.locks !== undefined && ifMatch !== undefined)
      checkIfMatch(edit.draft.base, route.locks, request.params, ifMatch);
    return value;
  };
}
