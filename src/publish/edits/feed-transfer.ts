import { formatName, parseName } from '../../dns/name.ts';
import type { FeedSource } from '../../policy/model.ts';
import { normaliseHostAddress } from './device-addresses.ts';
import type { EditSettings } from './edit.ts';
import { type Form, readSecret } from './feed-secret.ts';
import type { Fields } from './fields.ts';
import { KEY_ALGORITHMS } from './keys.ts';

export const TRANSFER_FORMS = ['rpz', 'dnsbl'] as const;
export const ZONE_TEXT_MAX = 1_004;
const DNS_PORT = 53;
const ADDRESS_TEXT_MAX = 64;
/** RFC 8945 section 8: a secret is as long as a MAC; some that are handed out are shorter. */
const SECRET_OCTETS = { min: 8, max: 256 };

type Transfer = Extract<FeedSource, { readonly kind: 'transfer' }>;
type Key = NonNullable<Transfer['key']>;

/** Reads which zone is transferred from which primary, and by which TSIG key. */
export function readTransfer(
  settings: Pick<EditSettings, 'keyAlgorithms'>,
  given: Fields,
  current: Transfer | null,
): Transfer {
  return {
    kind: 'transfer',
    zone: readName(given, 'zone', current?.zone),
    form: given.choice('form', TRANSFER_FORMS, current === null ? {} : { otherwise: current.form }),
    address: readAddress(given, current?.address),
    port: given.integer('port', { min: 1, max: 65_535, otherwise: current?.port ?? DNS_PORT }),
    key: readKey(settings, given, current?.key ?? null),
  };
}

/** Absolute and in lower case, also when it is written without its final dot. */
function readName(given: Fields, key: string, current: string | undefined): string {
  const text = given.text(key, {
    min: 1,
    max: ZONE_TEXT_MAX,
    ...(current === undefined ? {} : { otherwise: current }),
  });
  if (text === '') return text; // Refused already.
  try {
    const name = formatName(parseName(text)).toLowerCase();
    if (name !== '.') return name;
  } catch {
    // The rule says it.
  }
  given.refuse('name-form', key, `"${text}" is not a domain name, such as rpz.example.`);
  return text;
}

function readAddress(given: Fields, current: string | undefined): string {
  const text = given.text('address', {
    min: 1,
    max: ADDRESS_TEXT_MAX,
    ...(current === undefined ? {} : { otherwise: current }),
  });
  const address = normaliseHostAddress(text);
  if (address !== null || text === '') return address ?? text;
  given.refuse('address-form', 'address', 'The address is an IPv4 or IPv6 literal of one host.');
  return text;
}

/**
 * What is left out of a key stays as it is, wherever the zone comes from: of the secret only the MAC
 * ever leaves this server (RFC 8945 section 4.2).
 */
function readKey(
  { keyAlgorithms }: Pick<EditSettings, 'keyAlgorithms'>,
  given: Fields,
  current: Key | null,
): Key | null {
  if (!given.has('key')) return current;
  if (given.raw('key') === null) return null;
  const fields = given.inside('key');
  const usual = current?.algorithm ?? keyAlgorithms[0] ?? 'hmac-sha256';
  const algorithm = fields.choice('algorithm', KEY_ALGORITHMS, { otherwise: usual });
  if (!keyAlgorithms.includes(algorithm)) {
    const rule = `The configuration allows ${keyAlgorithms.join(', ')}.`;
    fields.refuse('key-algorithm', 'algorithm', rule);
  }
  return {
    name: readName(fields, 'name', current?.name),
    algorithm,
    secret: readSecret(fields, 'secret', { kept: current?.secret ?? null, form: BASE64 }),
  };
}

const BASE64: Form = {
  isGood: (text) => {
    // RFC 4648 section 4; what Node leaves out of a text that is none would be missing afterwards.
    const octets = Buffer.from(text, 'base64');
    const isWhole = octets.toString('base64') === text;
    return isWhole && octets.length >= SECRET_OCTETS.min && octets.length <= SECRET_OCTETS.max;
  },
  rule: `The secret is ${SECRET_OCTETS.min} to ${SECRET_OCTETS.max} octets in base64.`,
};
