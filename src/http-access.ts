import { loadClientSecret, loadTlsIdentity } from './config/named-files.ts';
import type { Config } from './config/settings.ts';
import type { ApiOptions } from './http/index.ts';

/**
 * Who gets to the admin API and how. Files that the settings name are read here, before anything is
 * started that a wrong one would stop.
 */
export function httpAccess(
  config: Config,
): Pick<ApiOptions, 'sessions' | 'openId' | 'tls' | 'trustedProxies'> {
  const { sessions, openid, trustedProxies } = config.http;
  const { issuer, clientId, redirectUri } = openid;
  const tls = loadTlsIdentity(config);
  const isOpenIdGiven = issuer !== null && clientId !== null && redirectUri !== null;
  const clientSecret = loadClientSecret(config);
  return {
    sessions,
    trustedProxies,
    ...(tls === null ? {} : { tls }),
    ...(isOpenIdGiven
      ? { openId: { ...openid, issuer, clientId, redirectUri, clientSecret } }
      : {}),
  };
}
