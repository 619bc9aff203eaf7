import type { Section } from '../section.ts';
import { endToEnd } from './end-to-end.ts';
import { feed } from './feed.ts';
import { ipPair } from './ip-pair.ts';
import { memory } from './memory.ts';
import { policies } from './policies.ts';
import { publish } from './publish.ts';
import { queries } from './queries.ts';
import { scale } from './scale.ts';
import { start } from './start.ts';
import { transfer } from './transfer.ts';

/** In the order of the report. */
export const SECTIONS: readonly Section[] = [
  transfer,
  publish,
  start,
  memory,
  policies,
  scale,
  endToEnd,
  ipPair,
  feed,
  queries,
];
