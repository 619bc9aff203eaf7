/** Names of fields whose values nobody but their owner should read. */
const SECRET_FIELD = /password|secret|token|authorization|credential|api-?key|private-?key/i;

/** Whether a JSON value has a secret anywhere in it. */
export function holdsSecret(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([name, inner]) => (SECRET_FIELD.test(name) && inner !== null) || holdsSecret(inner),
  );
}

/** The value with a mark in the place of every secret. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, inner]) => [
    name,
    SECRET_FIELD.test(name) && inner !== null ? '…' : withoutSecrets(inner),
  ]);
  return Object.fromEntries(fields);
}
