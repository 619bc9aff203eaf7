/**
 * Headers (in small letters) that say how a message is framed, where it goes or what is asked:
 * credentials of a feed may not be sent in them.
 */
export const NOT_FOR_CREDENTIALS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'if-modified-since',
  'if-none-match',
  'keep-alive',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
