import {
  hashPassword,
  isOutdatedHash,
  PASSWORD_COST,
  PASSWORD_SALT_OCTETS,
  type PasswordCost,
  verifyPassword,
} from './password-hash.ts';
import { HttpProblem } from './problem.ts';

/**
 * Hashes at a time: each takes 32 MiB and one of the four threads of libuv, which files and name
 * lookups of the whole server share.
 */
const RUNNING_MAX = 2;
/** Hashes that wait for their turn, some three seconds of them. More are refused rather than kept. */
const WAITING_MAX = 64;

/** Where passwords are hashed and compared, a few at a time. Throws HttpProblem when too many wait. */
export interface PasswordDesk {
  hash(password: string): Promise<string>;
  /**
   * Whether it is the password. Without a stored hash it never is, which takes just as long: so the
   * time of an answer does not tell whether there is such a user.
   */
  verify(password: string, stored: string | null): Promise<boolean>;
  /** Whether a new hash of the same password would be made at another cost. */
  isOutdated(stored: string): boolean;
}

export function createPasswordDesk(options: {
  readonly randomBytes: (octets: number) => Uint8Array;
  readonly cost: PasswordCost | undefined;
}): PasswordDesk {
  const { randomBytes, cost = PASSWORD_COST } = options;
  let running = 0;
  const waiting: (() => void)[] = [];
  const inTurn = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    if (running >= RUNNING_MAX) {
      if (waiting.length >= WAITING_MAX)
        throw new HttpProblem('unavailable', 'Too many passwords are being checked; try again.');
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running++;
    }
    try {
      return await work();
    } finally {
      // Whoever waits takes over the place, so that nobody slips in between.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
  const hash = (password: string) =>
    hashPassword(password, randomBytes(PASSWORD_SALT_OCTETS), cost);

  return {
    hash: (password) => inTurn(() => hash(password)),
    verify: (password, stored) =>
      inTurn(async () => {
        if (stored !== null) return verifyPassword(password, stored);
        await hash(password);
        return false;
      }),
    isOutdated: (stored) => isOutdatedHash(stored, cost),
  };
}
