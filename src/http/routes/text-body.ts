import type { FastifyInstance } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { HttpProblem } from '../problem.ts';

export const TEXT = 'text/plain';
export const CSV = 'text/csv';
export const OCTETS = 'application/octet-stream';

/** The schema of a body of text, which the handler gets as octets: a million lines never become strings. */
export function textBody(example: string) {
  return Type.Unsafe<Uint8Array>({
    type: 'string',
    description: 'UTF-8 text.',
    examples: [example],
  });
}

/** Whether it is the schema of a body of text: bodies of JSON are never mere texts. */
export function isTextBody(schema: TSchema): boolean {
  return 'type' in schema && schema.type === 'string';
}

/** Lets routes take text bodies as octets, in UTF-8 and not compressed. */
export function takeTextBodies(app: FastifyInstance): void {
  app.removeContentTypeParser(TEXT);
  takeAsOctets(app, [TEXT, CSV]);
}

/** Lets routes take octets of any form, not compressed on top of what they are. */
export function takeOctetBodies(app: FastifyInstance): void {
  takeAsOctets(app, [OCTETS]);
}

function takeAsOctets(app: FastifyInstance, types: string[]): void {
  app.addContentTypeParser<Buffer>(types, { parseAs: 'buffer' }, (request, body, done) => {
    const { 'content-type': type = '', 'content-encoding': encoding } = request.headers;
    const charset = /;\s*charset="?([^";\s]+)/i.exec(type)?.[1];
    if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset)) {
      const detail = `Send the text in UTF-8, not in ${charset}.`;
      done(new HttpProblem('media-type', detail, { field: 'Content-Type', value: type }));
    } else if (encoding !== undefined) {
      const detail = 'Send the body without a content encoding.';
      done(new HttpProblem('media-type', detail, { field: 'Content-Encoding', value: encoding }));
    } else done(null, body);
  });
}
