import type { FastifyRequest } from 'fastify';
import type { User } from '../policy/model.ts';
import { rehashPassword, userByName } from '../publish/edits/index.ts';
import type { Publisher } from '../publish/publisher.ts';
import { createAttemptLimit } from './attempt-limit.ts';
import { clientNetwork } from './client-network.ts';
import type { PasswordDesk } from './password-desk.ts';
import { HttpProblem, tooManyFailures } from './problem.ts';

/**
 * Wrong passwords that are looked at in a window: of one client for one login name, of one client for
 * all, and for one login name, whoever tries. The last is so high that a stranger who wants to keep a
 * person out has to come from many networks.
 */
const FAILURES_PER_CLIENT_AND_NAME_MAX = 10;
const FAILURES_PER_CLIENT_MAX = 30;
const FAILURES_PER_NAME_MAX = 100;
const WINDOW_MS = 300_000;

/** Proves by a password who somebody is. */
export interface Login {
  /**
   * The enabled user with this name and password. Throws HttpProblem otherwise: the same, after the
   * same time, whether the name or the password is wrong.
   */
  byPassword(
    request: FastifyRequest,
    given: { readonly name: string; readonly password: string },
  ): Promise<User>;
  /** Whether it is the user's own password; counted like a login, so that it cannot be guessed here either. */
  proves(request: FastifyRequest, user: User, password: string): Promise<boolean>;
}

export function createLogin(options: {
  readonly publisher: Publisher;
  readonly passwords: PasswordDesk;
  readonly monotonicMs: () => number;
}): Login {
  const { publisher, passwords, monotonicMs } = options;
  const limitOf = (max: number) => createAttemptLimit({ max, windowMs: WINDOW_MS, monotonicMs });
  const clients = limitOf(FAILURES_PER_CLIENT_MAX);
  const pairs = limitOf(FAILURES_PER_CLIENT_AND_NAME_MAX);
  const names = limitOf(FAILURES_PER_NAME_MAX);

  const verify = async (
    request: FastifyRequest,
    name: string,
    password: string,
    stored: string | null,
  ): Promise<boolean> => {
    const network = clientNetwork(request.ip);
    const wanted = name.toLowerCase();
    const attempts = [
      { limit: clients, key: network },
      { limit: pairs, key: `${network} ${wanted}` },
      { limit: names, key: wanted },
    ];
    for (const { limit, key } of attempts) {
      const waitSeconds = limit.take(key);
      if (waitSeconds !== null) throw tooManyFailures(waitSeconds, 'password');
    }
    const isRight = await passwords.verify(password, stored);
    if (isRight) for (const { limit, key } of attempts) limit.giveBack(key);
    return isRight;
  };
  const renewHash = async (user: User, password: string): Promise<void> => {
    if (user.passwordHash === null || !passwords.isOutdated(user.passwordHash)) return;
    const hash = await passwords.hash(password);
    const by = { actor: 'sluice', action: `user.rehash ${user.id}`, accountId: user.accountId };
    await publisher.change(by, (draft) => rehashPassword({ draft }, user, hash));
  };

  return {
    async byPassword(request, { name, password }) {
      const user = userByName(publisher.model, name);
      const stored = user === undefined || user.disabled ? null : user.passwordHash;
      const isRight = await verify(request, name, password, stored);
      if (!isRight || user === undefined) throw loginFailed();
      await renewHash(user, password);
      return publisher.model.users.get(user.id) ?? user;
    },
    proves: (request, user, password) =>
      verify(request, user.name, password, user.disabled ? null : user.passwordHash),
  };
}

/** The same whichever of them is wrong, so that names cannot be tried out. */
function loginFailed(): HttpProblem {
  const refused = { field: 'password', value: null };
  return new HttpProblem('login-failed', 'There is no user with this name and password.', refused);
}
