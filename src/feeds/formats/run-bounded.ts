import { createContext, Script } from 'node:vm';

/**
 * Runs `work` and returns whether it ended in time. What it does is stopped wherever it is, also
 * inside of one match of a regular expression, which nothing written in JavaScript can interrupt:
 * V8 looks for the end that node:vm asks for while it tracks back. `work` has to leave what it
 * changes usable at every moment. What it throws comes through.
 *
 * No sandbox is meant here: there is no code of anybody else.
 */
export function runBounded(work: () => void, timeMs: number): boolean {
  try {
    CALL.runInContext(createContext({ work }), { timeout: Math.max(1, Math.ceil(timeMs)) });
    return true;
  } catch (error) {
    // It is an error of the other context, so `instanceof` knows nothing about it.
    if ((error as { readonly code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      return false;
    throw error;
  }
}

const CALL = new Script('work()');
