import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ModelError } from '../policy/model-error.ts';
import { mediaTypesOfRoute } from './media-types.ts';
import {
  bodyTooLarge,
  HttpProblem,
  PROBLEM_MEDIA_TYPE,
  type Problem,
  problemOfCode,
  problemOfModelError,
  wrongMediaType,
} from './problem.ts';

/** Makes every failing answer of the API a problem in the one shape. */
export function replyWithProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = problemOf(error, request);
    if (problem.status >= 500) request.log.error({ err: error }, 'request failed');
    if (error instanceof HttpProblem && error.retryAfterSeconds !== null)
      reply.header('retry-after', error.retryAfterSeconds);
    sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request);
    const rule = `The API has an operation with the method ${request.method} at the path.`;
    const detail = `No ${request.method} at ${path}.`;
    sendProblem(
      reply,
      problemOfCode('no-such-route', detail, { field: 'path', value: path, rule }),
    );
  });
}

/** For requests that fail before routing, such as a path with broken percent-encoding. */
export function replyToFrameworkError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const refused = { field: 'path', value: pathOf(request) };
  sendProblem(reply, problemOfCode('request-form', error.message, refused));
}

/** For bytes on the connection that are no HTTP request at all. */
export function replyToClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
  const detail = 'The bytes on the connection are no HTTP request.';
  const rule = 'What is sent is HTTP/1.1 (RFC 9112).';
  const refused = { field: 'request', value: null, rule };
  const problem = problemOfCode('request-form', detail, refused);
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n` +
      `content-type: ${PROBLEM_MEDIA_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}

export function sendProblem(reply: FastifyReply, problem: Problem): void {
  // RFC 9110 section 11.6.1: a 401 says how to authenticate.
  if (problem.status === 401) reply.header('www-authenticate', challengesFor(reply));
  // A serialiser of the route's own media type must not get at it.
  reply
    .code(problem.status)
    .type(PROBLEM_MEDIA_TYPE)
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(problem);
}

/** Some download tools send their password only when they are asked for one. */
function challengesFor(reply: FastifyReply): string {
  const bearer = 'Bearer realm="sluice"';
  const takesBasic = reply.request.routeOptions?.config?.basic === true;
  return takesBasic ? `${bearer}, Basic realm="sluice", charset="UTF-8"` : bearer;
}

/** What is answered to a request that ended in this error. */
export function problemOf(given: FastifyError, request: FastifyRequest): Problem {
  const error = ofBody(given, request) ?? given;
  if (error instanceof ModelError) return problemOfModelError(error);
  if (error instanceof HttpProblem)
    return problemOfCode(error.problem, error.message, error.refused);
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) {
    const rule = 'The request is one that the server can read.';
    return problemOfCode('request-form', error.message, { field: 'request', value: null, rule });
  }
  if (status === 503) return problemOfCode('unavailable', error.message);
  return problemOfCode('internal', 'The request could not be carried out; the log says why.');
}

/** What Fastify itself refuses of a body, in our words; a body is not quoted, as it may hold a secret. */
function ofBody({ code, message }: FastifyError, request: FastifyRequest): HttpProblem | null {
  const { 'content-length': length, 'content-type': type = null } = request.headers;
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return wrongMediaType(mediaTypesOfRoute(request), 'Content-Type', type);
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return bodyTooLarge(request.routeOptions.bodyLimit, Number(length ?? Number.NaN) || null);
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH': {
      const rule = 'The body has as many octets as Content-Length says.';
      const refused = { field: 'Content-Length', value: length ?? null, rule };
      return new HttpProblem('body-form', message, refused);
    }
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY': {
      const rule =
        'The body is a JSON text (RFC 8259) without the fields __proto__ and constructor.';
      return new HttpProblem('body-form', message, { field: 'body', value: null, rule });
    }
    default:
      return null;
  }
}

/** The path without its query, which may hold what does not belong into an answer. */
function pathOf(request: FastifyRequest): string {
  return request.url.split('?')[0]!.slice(0, 200);
}
