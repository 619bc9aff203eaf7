import { type Static, Type } from 'typebox';
import type { Publisher } from '../../publish/publisher.ts';
import { isoTime } from './common.ts';

const StepSchema = Type.Object({
  at: Type.String({ format: 'date-time' }),
  size: Type.Integer({ description: 'Indicators that it held afterwards.' }),
  added: Type.Integer(),
  removed: Type.Integer(),
  whole: Type.Boolean({ description: 'Whether all that it holds was told anew.' }),
});

export const SizeHistorySchema = Type.Object({
  size: Type.Integer({ description: 'Indicators that it holds now.' }),
  items: Type.Array(StepSchema, { description: 'The newest changes, the oldest of them first.' }),
});

type Steps = Awaited<ReturnType<Publisher['memberSizes']>>;

export function sizeHistoryView(size: number, steps: Steps): Static<typeof SizeHistorySchema> {
  return {
    size,
    items: steps.map((step) => ({
      at: isoTime(step.at),
      size: step.size,
      added: step.added,
      removed: step.removed,
      whole: step.whole,
    })),
  };
}

export const SeenIndicatorSchema = Type.Object({
  indicator: Type.String({ examples: ['*.evil.example'] }),
  firstSeen: Type.String({ format: 'date-time' }),
  lastSeen: Type.String({
    format: 'date-time',
    description: 'When it was last named, or the whole source was last told and held it.',
  }),
});
