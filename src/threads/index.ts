/**
 * How a thread gets its program: as JavaScript, from the thread that starts it.
 *
 * Node strips types with a WebAssembly program, and V8 13.6 keeps the code that connects such a
 * program with JavaScript once for all threads of a process, where a thread that starts may free
 * what another one still uses: the whole process dies of SIGSEGV, once in a thousand starts or so
 * (`Runtime_TierUpWasmToJSWrapper` → `WasmEngine::FreeDeadCode`). So no thread of ours may use
 * WebAssembly. thread-boot.mjs is where each of them begins.
 *
 * Here: reading a program with all its modules and taking their types away. Not here: what threads do
 * (store/, feeds/).
 */
export type { ThreadSources } from './strip-program.ts';
export {
  THREAD_BOOT,
  type ThreadProgram,
  threadProgram,
} from './thread-program.ts';
