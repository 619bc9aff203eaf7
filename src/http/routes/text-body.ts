import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { HttpProblem } from '../problem.ts';

export const TEXT = 'text/plain';

/** The schema of a body of text, which the handler gets as octets: a million lines never become strings. */
export function textBody(example: string) {
  return Type.Unsafe<Uint8Array>({
    type: 'string',
    description: 'UTF-8 text.',
    examples: [example],
  });
}

/** Lets routes take text bodies as octets, in UTF-8 and not compressed. */
export function takeTextBodies(app: FastifyInstance): void {
  app.removeContentTypeParser(TEXT);
  app.addContentTypeParser<Buffer>(TEXT, { parseAs: 'buffer' }, (request, body, done) => {
    const charset = /;\s*charset="?([^";\s]+)/i.exec(request.headers['content-type'] ?? '')?.[1];
    if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset)) {
      done(new HttpProblem('media-type', `Send the text in UTF-8, not in ${charset}.`));
    } else if (request.headers['content-encoding'] !== undefined) {
      done(new HttpProblem('media-type', 'Send the text without a content encoding.'));
    } else done(null, body);
  });
}
