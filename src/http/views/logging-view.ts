import { Type } from 'typebox';
import { LOG_LEVELS } from '../api-options.ts';

const level = Type.Enum([...LOG_LEVELS], {
  description:
    'The least severe records that are written. Queries and transfers are of level info.',
});
const queries = Type.Boolean({ description: 'Write a record for every query.' });
const transfers = Type.Boolean({ description: 'Write a record for every transfer.' });

export const LoggingSchema = Type.Object(
  { level, queries, transfers },
  { examples: [{ level: 'info', queries: false, transfers: true }] },
);

/** What is not named stays. */
export const LoggingPatchSchema = Type.Object(
  {
    level: Type.Optional(level),
    queries: Type.Optional(queries),
    transfers: Type.Optional(transfers),
  },
  { additionalProperties: false, minProperties: 1, examples: [{ queries: true }] },
);
