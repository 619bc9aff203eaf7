import type { FastifyRequest } from 'fastify';
import type { HeldChange } from '../policy/model.ts';
import { ModelError } from '../policy/model-error.ts';
import { mediaTypeOf } from './media-types.ts';
import type { OperationRequest } from './operation.ts';
import { TEXT } from './routes/text-body.ts';
import { holdsSecret } from './secret-fields.ts';

/** Octets of a body that is kept with a held change; a larger one is sent again with `confirm`. */
const HELD_BODY_MAX = 1024 * 1024;

/** What is needed to carry the request out later. Throws ModelError when its body is not to be kept. */
export function heldRequestOf(request: FastifyRequest): Pick<HeldChange, 'request'> {
  const { method, url, body, headers } = request;
  const isText = body instanceof Uint8Array;
  const refuse = (what: string): ModelError => {
    const rule = `A change ${what} is not held: look at it with dryRun=true and send it again with confirm=true.`;
    return new ModelError('confirmation-needed', { field: 'confirm', value: false, rule });
  };
  const text = isText ? decoded(body) : JSON.stringify(body ?? null);
  if (text === null) throw refuse('whose text is not UTF-8');
  if (Buffer.byteLength(text) > HELD_BODY_MAX) throw refuse(`of more than ${HELD_BODY_MAX} octets`);
  // Routes whose point is a secret are never held; this is for one beside others, as in a batch.
  if (!isText && holdsSecret(body)) throw refuse('with a secret in it');
  return {
    request: {
      method,
      path: url.replace(/^\/api\/v1/, ''),
      body: body === undefined || body === null ? null : text,
      textType: isText ? mediaTypeOf(headers['content-type'] ?? TEXT) : null,
      ifMatch: headers['if-match'] ?? null,
    },
  };
}

/** The request again, as an operation that can be read. */
export function operationOfHeld({ request }: HeldChange): OperationRequest {
  const { method, path, body, textType, ifMatch } = request;
  return {
    method,
    path,
    ...(body === null ? {} : { body: textType === null ? JSON.parse(body) : body }),
    ...(textType === null ? {} : { contentType: textType }),
    ...(ifMatch === null ? {} : { ifMatch }),
  };
}

/** The text that is the same octets again when it is carried out; null when there is none. */
function decoded(octets: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return null;
  }
}
