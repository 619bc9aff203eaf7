import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ModelError } from '../policy/model-error.ts';
import {
  HttpProblem,
  type HttpProblemCode,
  PROBLEM_MEDIA_TYPE,
  type Problem,
  problemOfCode,
  problemOfModelError,
} from './problem.ts';

/** Makes every failing answer of the API a problem in the one shape. */
export function replyWithProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = problemOf(error);
    if (problem.status >= 500) request.log.error({ err: error }, 'request failed');
    sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => {
    const detail = `No ${request.method} at ${pathOf(request)}.`;
    sendProblem(reply, problemOfCode('no-such-route', detail));
  });
}

/** For requests that fail before routing, such as a path with broken percent-encoding. */
export function replyToFrameworkError(
  error: FastifyError,
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  sendProblem(reply, problemOf(error));
}

/** For bytes on the connection that are no HTTP request at all. */
export function replyToClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
  const problem = problemOfCode('request-form', 'The bytes on the connection are no HTTP request.');
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n` +
      `content-type: ${PROBLEM_MEDIA_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}

export function sendProblem(reply: FastifyReply, problem: Problem): void {
  // A serialiser of the route's own media type must not get at it.
  reply
    .code(problem.status)
    .type(PROBLEM_MEDIA_TYPE)
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(problem);
}

/** What Fastify's own errors are in our table; the rest is decided by their status. */
const FASTIFY_PROBLEMS: Readonly<Record<string, HttpProblemCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media-type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'body-form',
  FST_ERR_CTP_INVALID_JSON_BODY: 'body-form',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'body-form',
};

function problemOf(error: FastifyError): Problem {
  if (error instanceof ModelError) return problemOfModelError(error);
  if (error instanceof HttpProblem) return problemOfCode(error.problem, error.message);
  const known = FASTIFY_PROBLEMS[error.code];
  if (known !== undefined) return problemOfCode(known, error.message);
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return problemOfCode('request-form', error.message);
  if (status === 503) return problemOfCode('unavailable', error.message);
  return problemOfCode('internal', 'The request could not be carried out; the log says why.');
}

/** The path without its query, which may hold what does not belong into an answer. */
function pathOf(request: FastifyRequest): string {
  return request.url.split('?')[0]!.slice(0, 200);
}
