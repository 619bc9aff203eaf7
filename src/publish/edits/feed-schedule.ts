import { Cron } from 'croner';
import type { Feed } from '../../policy/model.ts';
import type { Fields } from './fields.ts';

export const INTERVAL_SECONDS = { min: 60, max: 30 * 86_400 };
export const CRON_LENGTH_MAX = 100;
export const JITTER_SECONDS_MAX = 86_400;
const SCHEDULE_KINDS = ['interval', 'cron'] as const;
const HOUR_SECONDS = 3_600;

export const HOURLY: Feed['schedule'] = { kind: 'interval', seconds: HOUR_SECONDS };

/** When a feed is asked for: every so many seconds, or by five fields of cron, which are in UTC. */
export function readSchedule(
  edit: { readonly now: number },
  fields: Fields,
  current: Feed['schedule'],
): Feed['schedule'] {
  if (!fields.has('schedule')) return current;
  const given = fields.inside('schedule');
  const kind = given.choice('kind', SCHEDULE_KINDS, { otherwise: current.kind });
  if (kind === 'interval') {
    const known = current.kind === 'interval' ? { otherwise: current.seconds } : {};
    return { kind, seconds: given.integer('seconds', { ...INTERVAL_SECONDS, ...known }) };
  }
  const known = current.kind === 'cron' ? { otherwise: current.expression } : {};
  const expression = given
    .text('expression', { min: 1, max: CRON_LENGTH_MAX, ...known })
    .replaceAll(/\s+/g, ' ');
  if (expression === '') return current; // Refused already.
  const rule = brokenCronRule(expression, edit.now);
  if (rule !== null) given.refuse('feed-schedule', 'expression', rule);
  return { kind, expression };
}

/** How a feed's cron expression is read: five fields, so once a minute at most, in UTC. */
export function cronOf(expression: string): Cron {
  return new Cron(expression, { mode: '5-part', timezone: 'UTC', paused: true });
}

function brokenCronRule(expression: string, now: number): string | null {
  // `?` would stand for the moment at which it is read, and mean something else after each start.
  if (expression.split(' ').length !== 5 || expression.includes('?')) {
    return 'A schedule has five fields: minute, hour, day of the month, month, day of the week.';
  }
  let next: Date | null;
  try {
    next = cronOf(expression).nextRun(new Date(now));
  } catch (error) {
    const why = (error as Error).message.replace(/^CronPattern: /, '').replace(/\.$/, '');
    return `The schedule cannot be read: ${why}.`;
  }
  return next === null ? 'No moment to come fits the schedule.' : null;
}

/** A random delay longer than the interval would let runs overtake one another. */
export function readJitter(
  fields: Fields,
  schedule: Feed['schedule'],
  { otherwise }: { readonly otherwise: number },
): number {
  const max = schedule.kind === 'interval' ? schedule.seconds : JITTER_SECONDS_MAX;
  // What was there may be too long for a schedule that is new.
  return fields.integer('jitterSeconds', { min: 0, max, otherwise: Math.min(otherwise, max) });
}
