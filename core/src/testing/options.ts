import type { CallbackRequest, JobPayload, JsonObject, OpenContext, Plugin } from '../plugin/index.ts';

/** What the suite is told about a provider. */
export interface ConformanceOptions {
  readonly plugin: Plugin;
  /** Job type of the module. */
  readonly type: string;
  /** Name of the provider in the module. */
  readonly provider: string;
  /**
   * Credentials that work with the vendor's test server. Give secret fields values of 6 or more
   * characters that occur nowhere else: the suite looks for them in all that is kept.
   */
  readonly credentials: JsonObject;
  /**
   * Valid payloads, at least one; the more, the better. Each of their strings of 6 or more
   * characters counts as personal data that must be kept nowhere, unless it is in `harmless`.
   */
  readonly payloads: readonly JobPayload[];
  /** Makes the vendor's test server behave in a certain way. */
  readonly respond?: VendorHooks;
  /** Credentials or a payload that lead to an address at which nobody listens: see `unusedPort`. */
  readonly unreachable?: { readonly credentials?: JsonObject; readonly payload?: JobPayload };
  /** Strings of the payloads that may be kept, such as the name of a template. */
  readonly harmless?: readonly string[];
  /** Overrides what `open` is given. */
  readonly context?: Partial<OpenContext>;
  /** Requests as the vendor would send them, for providers that take callbacks. */
  readonly callback?: CallbackHooks;
  /** Most time that a call may take, in milliseconds, where nothing hinders it. Default 10,000. */
  readonly timeoutMs?: number;
}

/** Makes callbacks as the vendor sends them, signed with the credentials that the suite was given. */
export interface CallbackHooks {
  /** A genuine one: it tells something about the job with this id, and about no other. */
  signed?(jobId: string): CallbackRequest | Promise<CallbackRequest>;
  /** One that looks genuine and is not: signed with another secret, or changed afterwards. */
  forged?(jobId: string): CallbackRequest | Promise<CallbackRequest>;
}

/**
 * What the author's test server for the vendor can be told. Each hook sets a behaviour, which
 * stays until the next hook is called. All are optional: the cases that need a missing one are
 * reported as skipped. Let refusals answer in the vendor's way, with the text that it would send.
 */
export interface VendorHooks {
  /** Takes every job. */
  accept?(): unknown;
  /** Refuses every job for good, as for a recipient that does not exist. */
  refuse?(): unknown;
  /** Refuses the jobs with this payload for good, and takes the others. */
  refuseOnly?(payload: JobPayload): unknown;
  /** Asks for patience, with the vendor's hint of how long (status 429, `Retry-After`). */
  throttle?(): unknown;
  /** Refuses the credentials. */
  authFailure?(): unknown;
  /** Takes the job, then cuts the connection without an answer. */
  dropAfterAccept?(): unknown;
  /** Reads the request and never answers. */
  hang?(): unknown;
  /** Answers with success and something that the vendor would never send: HTML, half a JSON. */
  garbage?(): unknown;
  /** How many requests have arrived so far. */
  calls?(): number;
  /** The idempotency keys that have arrived so far, in order; a request for many jobs may bring many. */
  keys?(): readonly string[];
}

/** The name of a hook that sets a behaviour. */
export type Behaviour = Exclude<keyof VendorHooks, 'calls' | 'keys' | 'refuseOnly'>;

/** One thing that the contract asks for. */
export interface ConformanceCase {
  /** A sentence of behaviour. */
  readonly name: string;
  /** Why the case cannot run: what to give to the suite. Undefined if it can. */
  readonly skip: string | undefined;
  /** Rejects if the plugin does not conform, with the place and the remedy. Does nothing if skipped. */
  run(): Promise<void>;
}
