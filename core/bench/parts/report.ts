import type { Target } from '../harness/target.ts';

/** What a part found: tables for people, figures for machines. */
export interface PartReport {
  readonly title: string;
  /** How it was measured, in a sentence or two. */
  readonly how: string;
  readonly table: string;
  readonly targets: readonly Target[];
  readonly figures: unknown;
}
