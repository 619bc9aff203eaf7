import { registerHooks } from 'node:module';
import { workerData } from 'node:worker_threads';

/**
 * Where every thread begins: in JavaScript, and so is all that it loads, since the sources come from
 * the main thread without their types. index.ts says why.
 */
const { program, sources } = workerData;
registerHooks({
  load(url, context, nextLoad) {
    const source = sources.get(url);
    if (source === undefined) return nextLoad(url, context);
    return { format: 'module', source, shortCircuit: true };
  },
});
await import(program);
