import type { Config } from './config/settings.ts';
import type { TsigAlgorithm } from './dns/tsig.ts';

/** The algorithms that keys may be for and that signatures are accepted with. */
export function allowedAlgorithms({ tsig }: Config): TsigAlgorithm[] {
  return [
    'hmac-sha256',
    'hmac-sha384',
    'hmac-sha512',
    ...(tsig.allowSha1 ? (['hmac-sha1'] as const) : []),
    ...(tsig.allowMd5 ? (['hmac-md5'] as const) : []),
  ];
}
