import type { FeedFormatFields, TargetAttributes } from './model.ts';

/** A public feed that is known well enough to be turned on by its name. */
export interface FeedPreset {
  /** Lower case, digits and hyphens; no two have the same. */
  readonly name: string;
  /** The name of the target that it makes, unless another is asked for. */
  readonly title: string;
  readonly url: string;
  readonly publisher: string;
  /** As its publisher says, or where to read it. */
  readonly licence: string;
  readonly licenceUrl: string | null;
  readonly format: FeedFormatFields;
  readonly namesAs: 'name' | 'host';
  /** Never shorter than its publisher asks. */
  readonly intervalSeconds: number;
  readonly attributes: TargetAttributes;
  /** What an operator must know, such as a registration; empty for nothing. */
  readonly note: string;
  /** Whether address and format could be checked. */
  readonly verified: boolean;
}
