import type { Static, TSchema } from 'typebox';
import type { IdentifiedResult, JobResult, JsonObject, JsonValue, Resolution } from './result.ts';

/** The number of this contract. A plugin names the one that it was written for. */
export const CONTRACT = 1;

/** What a job carries: an object that the module's payload schema accepts. */
export type JobPayload = { readonly [field: string]: unknown };

/** One job as a provider sees it: defaults merged, templates rendered, payload validated. */
export interface Job<P = JobPayload> {
  /** `<batchId>.<seq>`; stable over attempts, so it serves as an idempotency key. */
  readonly id: string;
  readonly batchId: string;
  /** Position in the batch, from 0. */
  readonly seq: number;
  readonly payload: P;
  /** From 1; rises with every try, also with those that spent nothing. */
  readonly attempt: number;
  /** True if an earlier call for this job may have reached the provider. */
  readonly possibleDuplicate: boolean;
}

/** A job whose earlier call left no result, as `resolve` sees it. */
export interface UnresolvedJob<P = JobPayload> extends Job<P> {
  /** The `ref` of an earlier `pending` result. */
  readonly ref?: string;
  /** What the call noted by `call.note`. */
  readonly note?: JsonValue;
  /** Milliseconds since the call was fenced, by the database's clock. */
  readonly ageMs: number;
}

/** One invocation of a provider. */
export interface Call {
  /** Aborted at the deadline and when the process stops. Its reason is an `Error`. */
  readonly signal: AbortSignal;
  /**
   * Calls back once when the call is aborted, with the reason of `signal`; at once if it was aborted before. A signal
   * costs several microseconds, and is made when it is first asked for: for a provider that makes thousands of calls a
   * second this is the cheaper way to know (docs/decisions/0034). All others use `signal`. It needs its call: do not take
   * it out by destructuring.
   */
  onAbort(listener: (reason: Error) => void): void;
  /**
   * Stable over repeats. The job's id where a call holds one job; otherwise the id of the
   * call, which a guarantee of scope `call` repeats for exactly the same jobs.
   */
  readonly idempotencyKey: string;
  readonly attempt: number;
  /** Time allowed for the call, in milliseconds. */
  readonly timeoutMs: number;
  /**
   * Commits what `resolve` needs to find this call again after a crash (a bulk job's id)
   * before it returns. At most 4 kB of JSON, no personal data. The last note counts.
   * @throws if the lease is lost: then stop, another runner has taken over.
   */
  note(data: JsonValue): Promise<void>;
}

/** What a provider promises about calls that are made twice. */
export type Guarantee =
  /** The provider deduplicates by the idempotency key of the job or of the call, for `ttlMs`. */
  | { readonly kind: 'keyed'; readonly scope: 'job' | 'call'; readonly ttlMs: number }
  /** The provider can be asked by `resolve`; `absent` is believed after `settleMs`. */
  | { readonly kind: 'reconcilable'; readonly settleMs: number }
  /** Nothing helps: a call without a result ends as `unknown`. */
  | { readonly kind: 'at-most-once' }
  /** Duplicates are accepted, and flagged. */
  | { readonly kind: 'at-least-once' };

/** At most `max` calls or jobs in any `windowMs` milliseconds, over all runners together. */
export interface Rate<P = JobPayload> {
  readonly per: 'call' | 'job';
  readonly max: number;
  readonly windowMs: number;
  /** One limit for each key, for example a receiving domain. Default: one for the connection. */
  readonly key?: (payload: P) => string;
}

/** A logger with the methods of pino. Payloads and secrets must not be passed to it. */
export interface Logger {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
}

/** Where outgoing calls may go besides the public internet. Enforced by the guarded clients. */
export interface NetworkPolicy {
  /** CIDR ranges that are allowed although they are not public, for example `10.1.0.0/16`. */
  readonly allow: readonly string[];
}

/** What the host gives to `open`. */
export interface OpenContext {
  readonly logger: Logger;
  readonly connectionId: string;
  /** Pass it to `guardedAgent` or use `fetch`, which obeys it. */
  readonly network: NetworkPolicy;
  /** `fetch` that dials no forbidden address and follows no redirect to one. */
  readonly fetch: typeof globalThis.fetch;
  /**
   * URL for the provider's receipts about this job: give it to the provider with the message, and the
   * callback's `url` has the id in its query parameter `job`. Undefined if the host has no public URL.
   */
  callbackUrl(jobId: string): string | undefined;
  /**
   * Takes receipts that the session learns of by itself, because it asks for them or plays the
   * provider. They are recorded like those of a callback; ids of other connections' jobs are dropped.
   */
  report(answer: Pick<CallbackAnswer, 'events' | 'suppress' | 'lift'>): void;
}

interface SessionBase<P> {
  /**
   * Tells what became of jobs whose call left no result; needed for `pending` results and
   * for the guarantee `reconcilable`. One answer a job, in order or with `jobId`.
   */
  resolve?(
    jobs: readonly UnresolvedJob<P>[],
    call: Call,
  ): Promise<readonly (Resolution | IdentifiedResult<Resolution>)[]>;
  /** Throws, or answers with a reason, if the credentials do not work. */
  health?(signal: AbortSignal): Promise<undefined | { code: string; message: string }>;
  /** Frees sockets. Called once, when nothing is in flight. */
  close?(): void | Promise<void>;
}

/** A session of a provider that takes one job a call (`batchSize` 1). */
export interface SingleSession<P> extends SessionBase<P> {
  process(job: Job<P>, call: Call): JobResult | Promise<JobResult>;
  processBatch?: never;
}

/** A session of a provider that takes many jobs a call. */
export interface BatchSession<P> extends SessionBase<P> {
  process?: never;
  /** One result a job, in order or with `jobId`. A missing one is recorded as `unknown`. */
  processBatch(jobs: readonly Job<P>[], call: Call): Promise<readonly (JobResult | IdentifiedResult)[]>;
}

/** What `open` returns: the provider's client for one connection. */
export type Session<P = JobPayload> = SingleSession<P> | BatchSession<P>;

/** A receipt as a callback handler reports it. */
export interface Receipt {
  readonly jobId: string;
  /** `delivered`, `bounced`, `complained`, `opened`, `clicked`, `replied`, or one that the module declares. */
  readonly kind: string;
  /** The provider's id of this event; the same one is recorded once. */
  readonly eventId: string;
  readonly at?: Date;
  readonly data?: JsonObject;
}

/** A provider's callback as it came in; the body is raw, so that signatures can be checked. */
export interface CallbackRequest {
  readonly method: 'GET' | 'POST';
  /** As the provider called it: with the host's public URL, where it has one, and the whole query. */
  readonly url: URL;
  /** By lower-case name; of one that came twice, the values joined with a comma and a space. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** An address to which nothing is sent any more. */
export interface Suppression {
  /** In the form of the module's `recipients`. Only a keyed hash of it is kept. */
  readonly recipient: string;
  readonly reason: 'bounced' | 'complained' | 'unsubscribed';
}

/** What a callback handler answers. */
export interface CallbackAnswer {
  readonly events: readonly Receipt[];
  /** Addresses to which the tenant sends no jobs of this type any more. */
  readonly suppress?: readonly Suppression[];
  /** Addresses whose owners want to be sent to again. Takes `unsubscribed` back, and nothing else. */
  readonly lift?: readonly string[];
  readonly response?: {
    readonly status: number;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  };
}

/** What a callback handler gets besides the request. */
export interface CallbackContext<C> {
  readonly credentials: C;
  readonly logger: Logger;
  readonly connectionId: string;
  /** Pass it to `guardedAgent` or use `fetch`, which obeys it. */
  readonly network: NetworkPolicy;
  /** `fetch` that dials no forbidden address and follows no redirect to one. */
  readonly fetch: typeof globalThis.fetch;
}

/** Receives what a provider reports later about its jobs. */
export interface Callbacks<C = unknown> {
  /**
   * Verifies the request's signature before it believes any of it.
   * @throws what `callbackRefused` makes, if the signature is wrong or the body makes no sense. Anything
   * else that is thrown is answered with 500, so that the provider sends it again.
   */
  handle(request: CallbackRequest, context: CallbackContext<C>): CallbackAnswer | Promise<CallbackAnswer>;
}

/** The answer of an OAuth token endpoint (RFC 6749, section 5.1), with what the provider adds to it. */
export interface OAuthTokens {
  readonly access_token: string;
  readonly refresh_token?: string;
  /** Seconds. */
  readonly expires_in?: number;
  readonly [field: string]: JsonValue | undefined;
}

/**
 * OAuth 2.0 with PKCE, as a provider declares it; core does the dance and the refresh. The provider's
 * credentials must have the fields `clientId`, `clientSecret` (may be optional, for public clients),
 * `accessToken` and `refreshToken` (both optional and secret). A connection without tokens is blocked
 * until somebody has granted access. After each refresh the session is opened anew.
 */
export interface OAuth<C = unknown> {
  readonly authorizationUrl: string | ((credentials: C) => string);
  readonly tokenUrl: string | ((credentials: C) => string);
  readonly scopes: readonly string[];
  /** More parameters of the authorization URL. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Seconds that an access token lives if the token endpoint does not say. Default 3,600. */
  readonly expiresIn?: number;
  /** Fields of the credentials that follow from the answer, besides the two tokens. */
  fields?(tokens: OAuthTokens): JsonObject;
}

/** One way for a module to deliver. Made by {@link defineProvider}. */
export interface Provider<P = JobPayload, C = unknown> {
  readonly title: string;
  /**
   * Schema of the credentials; mark secret fields with `secret()`. The server shows the schema's
   * `description` at the start if a module falls back to this provider as its `sandbox`.
   */
  readonly credentials: TSchema;
  readonly oauth?: OAuth<C>;
  /** Asked before every call if it is a function; must not do I/O. */
  readonly guarantee: Guarantee | ((credentials: C, payload: P) => Guarantee);
  /** Most jobs in one call. Default 1. */
  readonly batchSize?: number;
  /** Most bytes of JSON payload in one call. Default: no limit. */
  readonly batchBytes?: number;
  /**
   * Most calls at once per connection, over all runners together; a whole number from 1. Default
   * 10. A function is asked once a connection and process: what is not to be called at once must
   * not wait inside of `process`, where a crash would leave it in doubt.
   */
  readonly concurrency?: number | ((credentials: C) => number);
  /** Time allowed for a call, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number | ((payload: P) => number);
  /** A function is asked once a connection and version of its credentials. */
  readonly rates?: readonly Rate<P>[] | ((credentials: C) => readonly Rate<P>[]);
  /**
   * The circuit breaker's key: a receiver's origin. No endpoint gets more than 80% of the free
   * slots. A text instead of a function: all jobs of a connection go to this one, which may take
   * all slots. Default: no breaker.
   */
  readonly endpointKey?: string | ((payload: P) => string);
  /** Jobs with the same key may share a call. Default: all may. */
  readonly groupKey?: (payload: P) => string;
  /** Opens a session. Called lazily, once a connection and process; may throw to block nothing and be retried. */
  open(credentials: C, context: OpenContext): Session<P> | Promise<Session<P>>;
  readonly callbacks?: Callbacks<C>;
}

/** A receipt kind that a module declares beyond the common ones. */
export interface ReceiptKind {
  readonly kind: string;
  /** Higher wins when a job's `delivery` is shown. The common kinds have 10 to 60. */
  readonly precedence: number;
}

/** The code for one job type. Made by {@link defineModule}. */
export interface Module<P = JobPayload> {
  /** `[a-z][a-z0-9]*`, at most 40 characters. */
  readonly type: string;
  readonly title: string;
  /** Version of the payload schema, from 1. */
  readonly version: number;
  readonly payload: TSchema;
  /** Turns a payload that was stored under an older `version` into today's shape. */
  migrate?(payload: JobPayload, from: number): P;
  /** What a schema cannot say. Answers problems; an empty array or nothing means valid. */
  validate?(payload: P): readonly PayloadProblem[] | undefined;
  /**
   * What a person wants to know of a valid payload before it is sent, such as the number of segments
   * of a text message. Shown by the API, never stored.
   */
  preview?(payload: P): JsonObject;
  /** Addresses of persons in the payload, for suppression and erasure. */
  recipients?(payload: P): readonly string[];
  /**
   * The form in which `recipients` gives an address; undefined if the text is none. It is asked for what
   * people and providers write (`Ann <ann@EXAMPLE.com>`). Default: the text as it is, trimmed.
   */
  normalizeRecipient?(text: string): string | undefined;
  readonly receipts?: readonly ReceiptKind[];
  /** By name, `[a-z][a-z0-9]*`. The first one is the default. */
  readonly providers: { readonly [name: string]: Provider<P, never> };
}

/** A problem that `validate` found. */
export interface PayloadProblem {
  /** JSON pointer into the payload, for example `/to`. */
  readonly path: string;
  /** Stable, snake_case. */
  readonly code: string;
  /** What is wrong and how to mend it. */
  readonly message: string;
}

/** A published package of modules. Made by {@link definePlugin}. */
export interface Plugin {
  /** The package's name on npm. */
  readonly name: string;
  readonly version: string;
  /** {@link CONTRACT} of the core that it was written for. */
  readonly contract: number;
  // biome-ignore lint/suspicious/noExplicitAny: a list of modules with different payloads
  readonly modules: readonly Module<any>[];
}

/** The type of values that a schema accepts. */
export type Infer<S extends TSchema> = Static<S>;
