import type { TlsIdentity } from '../../src/server/index.ts';
import {
  type IssuedCertificate,
  type IssueOptions,
  makeAuthority,
  type TestAuthority,
} from '../support/certificate.ts';

/** An authority, and a server certificate of it for `localhost`. */
export interface TestIdentity {
  readonly authority: TestAuthority;
  /** Asks for client certificates of the same authority when told so. */
  identity(options?: { readonly asksClients: boolean }): TlsIdentity;
  client(options?: Omit<IssueOptions, 'for'>): IssuedCertificate;
}

export function makeIdentity(): TestIdentity {
  const authority = makeAuthority();
  const { certificate, key } = authority.issue({ for: 'server', names: 'DNS:localhost' });
  return {
    authority,
    identity: ({ asksClients } = { asksClients: false }) => ({
      certificate,
      key,
      clientAuthorities: asksClients ? authority.certificate : null,
    }),
    client: (options = {}) => authority.issue({ ...options, for: 'client' }),
  };
}

const ANY_PORT = [{ address: '127.0.0.1', port: 0 }];

/** Options for a server that speaks TLS on a port of its own. */
export function tlsOn(identity: TlsIdentity, listen = ANY_PORT) {
  return { tls: { listen, identity } };
}
