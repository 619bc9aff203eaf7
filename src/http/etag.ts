import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { withoutSecrets } from '../policy/feed-source.ts';
import { memberCount } from '../policy/member-sets.ts';
import type { Feed, Model, Target, UserList } from '../policy/model.ts';
import { ModelError } from '../policy/model-error.ts';
import { COLLECTION, encodeEntity } from '../publish/entity-codec.ts';
import type { EntityKind } from '../publish/store-port.ts';

/**
 * The strong ETag of what a person edits: it changes with every edit of the entity, and not with
 * what is derived from it, such as serials. Undefined when there is no such entity.
 */
export function etagOf(model: Model, kind: EntityKind, params: unknown): string | undefined {
  const { id } = params as { readonly id: number };
  const collection = model[COLLECTION[kind]] as ReadonlyMap<number, { readonly id: number }>;
  const entity = collection.get(Number(id));
  if (entity === undefined) return undefined;
  const known = etags.get(entity);
  if (known !== undefined) return known;
  const hash = createHash('sha256').update(encodeEntity(kind, told(kind, entity) as never).body);
  // What is stored elsewhere than in the body; each edit of it moves `updatedAt`, too.
  if (kind === 'target' || kind === 'list')
    hash.update(` ${memberCount((entity as Target | UserList).members)}`);
  const etag = `"${hash.digest('base64url').slice(0, 22)}"`;
  etags.set(entity, etag);
  return etag;
}

/** Who reads an ETag could guess a password until the hash fits; each edit moves `updatedAt` anyway. */
function told(kind: EntityKind, entity: object): object {
  if (kind !== 'feed') return entity;
  const feed = entity as Feed;
  return { ...feed, source: withoutSecrets(feed.source) };
}

/** Entities are replaced, never changed, so an ETag holds as long as its object. */
const etags = new WeakMap<object, string>();

/**
 * RFC 9110 section 13.1.1: the method is carried out only when the ETag is one of those given, or
 * when anything is there and `*` is given. Throws ModelError otherwise, which quotes the ETag: so this
 * is asked only for whom may see the entity.
 */
export function checkIfMatch(model: Model, kind: EntityKind, params: unknown, given: string): void {
  const etag = etagOf(model, kind, params);
  const candidates = given.split(',').map((candidate) => candidate.trim());
  if (etag !== undefined && (given.trim() === '*' || candidates.includes(etag))) return;
  const rule =
    etag === undefined
      ? `There was no such ${kind} before this change: it has no ETag to compare.`
      : `The ${kind} is at ETag ${etag} now: read it again and decide anew.`;
  throw new ModelError('entity-changed', { field: 'If-Match', value: given, rule });
}

/** For requests that edit no one thing: who sends the header counts on it, so it is not passed over. */
export function refuseIfMatch({ headers }: Pick<FastifyRequest, 'headers'>): void {
  const value = headers['if-match'];
  if (value === undefined) return;
  const rule = 'The path names nothing that has an ETag: send this request without If-Match.';
  throw new ModelError('field-unknown', { field: 'If-Match', value, rule });
}

/** How the routes that compare it announce the header. */
export const IfMatchHeaders = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      description:
        'The ETag of what was read (RFC 9110 section 13.1.1): refused with 412 when somebody changed it since.',
    }),
  ),
});
