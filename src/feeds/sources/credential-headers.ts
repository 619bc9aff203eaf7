import { validateHeaderName, validateHeaderValue } from 'node:http';
import { NOT_FOR_CREDENTIALS } from '../../policy/credential-headers.ts';
import type { FeedCredentials } from '../../policy/model.ts';
import { FeedFailure } from './feed-failure.ts';

/** The header that carries credentials. Throws a FeedFailure, which does not repeat them. */
export function credentialHeaders(credentials: FeedCredentials): Record<string, string> {
  switch (credentials.kind) {
    case 'none':
      return {};
    case 'bearer':
      return checked('authorization', `Bearer ${credentials.token}`);
    case 'basic': {
      // RFC 7617 section 2: the first colon ends the user's name.
      if (credentials.user.includes(':')) {
        throw new FeedFailure('credentials', 'the name of the user contains a colon');
      }
      const pair = Buffer.from(`${credentials.user}:${credentials.password}`, 'utf8');
      return checked('authorization', `Basic ${pair.toString('base64')}`);
    }
    case 'header': {
      const name = credentials.name.toLowerCase();
      if (NOT_FOR_CREDENTIALS.has(name)) {
        throw new FeedFailure('credentials', `the header ${name} is not for credentials`);
      }
      return checked(name, credentials.value);
    }
  }
}

function checked(name: string, value: string): Record<string, string> {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch {
    throw new FeedFailure('credentials', 'they contain what no header of HTTP can');
  }
  return { [name]: value };
}
