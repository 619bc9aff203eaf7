import type { FastifyInstance, FastifyRequest } from 'fastify';
import { wrongMediaType } from './problem.ts';

const JSON_TYPE = 'application/json';

/** What a route says of its body. */
export interface BodyDeclaration {
  readonly body?: unknown;
  readonly consumes?: readonly string[];
}

/** The media types of the bodies that a route takes. */
export function mediaTypesOf({ body, consumes }: BodyDeclaration): readonly string[] {
  if (body === undefined) return [];
  const content = contentOf(body);
  return content === null ? (consumes ?? [JSON_TYPE]) : Object.keys(content);
}

/** The schemas of a body of several media types; null when it has only one. */
export function contentOf<Schema>(body: unknown): Readonly<Record<string, Schema>> | null {
  const isContent = typeof body === 'object' && body !== null && 'content' in body;
  return isContent ? (body.content as Readonly<Record<string, Schema>>) : null;
}

/** Of the route that a request came to. */
export function mediaTypesOfRoute(request: FastifyRequest): readonly string[] {
  return mediaTypesOf(request.routeOptions.schema ?? {});
}

/**
 * Refuses a body of a type that its route does not take, so that no schema is left out: octets are not
 * held against the schema of a JSON body, nor JSON against none.
 */
export function refuseOtherMediaTypes(app: FastifyInstance): void {
  app.addHook('preValidation', async (request) => {
    const { body, headers } = request;
    if (body === undefined || body === null) return;
    const taken = mediaTypesOfRoute(request);
    const given = headers['content-type'] ?? null;
    const type = given === null ? JSON_TYPE : mediaTypeOf(given);
    // What a route without a body is sent all the same is not looked at, whatever it is.
    if (taken.length > 0 && !taken.includes(type)) {
      throw wrongMediaType(taken, 'Content-Type', given);
    }
  });
}

/** Without its parameters. */
export function mediaTypeOf(contentType: string): string {
  return contentType.split(';')[0]!.trim().toLowerCase();
}
