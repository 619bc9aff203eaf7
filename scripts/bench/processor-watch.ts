import { readFileSync } from 'node:fs';

/** In ticks of the clock, of all processors together. */
interface Ticks {
  readonly all: number;
  readonly busy: number;
  /** Of this process and of all that it started that has ended. */
  readonly own: number;
}

/**
 * How large a share of the machine others take from now until it is asked, 0 to 1: figures of a
 * machine that others work on are not worth much. What we started must have ended by then.
 */
export function watchProcessors(): () => number {
  const before = readTicks();
  return () => {
    const now = readTicks();
    const others = now.busy - before.busy - (now.own - before.own);
    return Math.max(0, others / (now.all - before.all));
  };
}

function readTicks(): Ticks {
  return ticksIn(readFileSync('/proc/stat', 'latin1'), readFileSync('/proc/self/stat', 'latin1'));
}

/** From the texts of /proc/stat and /proc/self/stat. */
export function ticksIn(machine: string, self: string): Ticks {
  // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user already.
  const fields = machine.split('\n')[0].trim().split(/\s+/).slice(1, 9).map(Number);
  const all = fields.reduce((sum, ticks) => sum + ticks, 0);
  // The name in parentheses may hold spaces; the four times are the 14th field to the 17th.
  const own = self
    .slice(self.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number);
  return {
    all,
    busy: all - fields[3] - fields[4],
    own: own.reduce((sum, ticks) => sum + ticks, 0),
  };
}
