import type { FeedCredentials, FeedSource } from './model.ts';

export const FEED_URL_LENGTH_MAX = 2_048;
/** What is shown in the place of a secret; sent back with a change, it means the one that is kept. */
export const HIDDEN_SECRET = '***';

/** The rule that a feed's address breaks, as a sentence; null when it can be asked. */
export function brokenUrlRule(text: string): string | null {
  if (text.length > FEED_URL_LENGTH_MAX) {
    return `The address has at most ${FEED_URL_LENGTH_MAX} characters.`;
  }
  if (/[\s\p{Cc}]/u.test(text) || !URL.canParse(text)) {
    return 'The address is a whole URL, such as https://feeds.example/list.txt.';
  }
  const { protocol, username, password, hash } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') {
    return 'The address begins with https:// or http://.';
  }
  // RFC 9110 section 4.2.4: they would stand in logs and lists.
  if (username !== '' || password !== '') {
    return 'The address holds no user name or password: give them as credentials.';
  }
  if (hash !== '') return 'The address has no fragment (#…), which is not sent to servers.';
  return null;
}

/** A source as it may be shown and told in the audit trail. */
export function withoutSecrets(source: FeedSource): FeedSource {
  if ('credentials' in source) return { ...source, credentials: hideSecret(source.credentials) };
  if (source.kind !== 'transfer' || source.key === null) return source;
  return { ...source, key: { ...source.key, secret: HIDDEN_SECRET } };
}

function hideSecret(credentials: FeedCredentials): FeedCredentials {
  switch (credentials.kind) {
    case 'none':
      return credentials;
    case 'bearer':
      return { ...credentials, token: HIDDEN_SECRET };
    case 'basic':
      return { ...credentials, password: HIDDEN_SECRET };
    case 'header':
      return { ...credentials, value: HIDDEN_SECRET };
  }
}
