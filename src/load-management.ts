import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * What start-management.ts imports, in parts of some tens of milliseconds: Node loads a module with all
 * that it imports in one go, and questions wait for so long.
 */
const PARTS: readonly (() => Promise<unknown>)[] = [
  () => import('fastify'),
  () => import('typebox'),
  () => import('typebox/compile'),
  () => import('./publish/edits/index.ts'),
  () => import('./feeds/index.ts'),
  () => import('./http/views/policy-view.ts'),
  () => import('./http/routes/feeds.ts'),
  () => import('./http/index.ts'),
];

/** Loads the programs of everything besides answers, and lets questions be answered meanwhile. */
export async function loadManagement(): Promise<typeof import('./start-management.ts')> {
  for (const load of PARTS) {
    await nextTurn();
    await load();
  }
  await nextTurn();
  return import('./start-management.ts');
}
