import type { JobPayload, JsonObject } from '../plugin/index.ts';

/** A job that was looked at and not stored. */
export interface JobPreview {
  /** As a provider would get it: defaults merged, templates rendered. */
  readonly payload: JobPayload;
  /** What is wrong with it; empty if it could be sent. */
  readonly problems: readonly { readonly path: string; readonly code: string; readonly message: string }[];
  /** What the module says of it; null if that is nothing, or if it is invalid. */
  readonly preview: JsonObject | null;
}
