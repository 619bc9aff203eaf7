import type { Section } from '../section.ts';
import { publish } from './publish.ts';
import { transfer } from './transfer.ts';

/** In the order of the report. */
export const SECTIONS: readonly Section[] = [transfer, publish];
