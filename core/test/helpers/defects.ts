import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guarantee } from '../../src/plugin/index.ts';
import { type ConformanceOptions, runConformance, unusedPort } from '../../src/testing/index.ts';
import type { Break } from './break-plugin.ts';
import { withRejections } from './rejections.ts';
import { samplePlugin } from './sample-plugin.ts';
import { type SampleVendor, SECRET, sampleVendor } from './sample-vendor.ts';

/** Names of the suite's cases. */
export const CASES = {
  register: 'the plugin can be registered',
  schemas: 'the schemas are plain JSON and say all that is checked',
  marked: 'fields of the credentials that hold secrets are marked',
  samples: 'the samples are valid',
  unknownField: 'an unknown field of a payload is refused',
  functions: 'what is asked about a payload is answered, each time the same',
  concurrency: 'concurrency is a whole number from 1',
  session: 'open() gives a session that fits the declaration',
  close: 'close() ends, also without a call before',
  shared: 'two sessions share no state',
  health: 'health(), if there is one, tells working credentials from wrong ones',
  delivered: 'every sample is delivered',
  changed: 'a payload is not changed',
  refused: 'a refused job fails',
  throttled: 'a throttled call is answered by throttled',
  blocked: 'wrong credentials block the connection',
  garbage: 'an answer that makes no sense is taken for no answer',
  notSent: 'a refused connection counts as not sent',
  codes: 'codes are snake_case and the same each time',
  oneEach: 'a call for many jobs answers one result a job',
  others: 'a refused job leaves the others alone',
  oneTry: 'a call is one try: nothing is repeated inside',
  cut: 'a call that was cut after it arrived is left to the guarantee',
  signal: 'the signal ends a call within 2 s',
  timeout: 'a timeout after the request arrived is left to the guarantee',
  rejection: 'no rejection is left that nobody awaits',
  found: 'resolve() finds a job whose call was cut',
  settled: 'a pending job is settled by resolve()',
  keys: 'the idempotency key reaches the vendor, the same in each attempt',
  secrets: 'no secret gets into results, errors, notes or logs',
  personal: 'no data of a payload gets into results, errors, notes or logs',
} as const;

/** The cases that look at one result of each kind. */
export const ANSWERS = [CASES.delivered, CASES.refused, CASES.throttled, CASES.blocked];

/** The cases that look at calls without an answer. */
export const LOST = [CASES.garbage, CASES.cut, CASES.timeout];

/** A way to get it wrong. */
export interface Defect {
  readonly name: string;
  readonly break: Break;
  /** Names of the cases that must fail: these and no others. */
  readonly fails: readonly string[];
  /** Of the good plugin that is broken. Default `at-least-once`. */
  readonly guarantee?: Guarantee;
  /** Default 1. */
  readonly batchSize?: number;
}

/** What the suite is told about the sample plugin. */
export async function sampleOptions(vendor: SampleVendor): Promise<Omit<ConformanceOptions, 'plugin'>> {
  return {
    type: 'message',
    provider: 'acme',
    credentials: { apiKey: SECRET, baseUrl: vendor.url },
    payloads: [
      { to: 'ada@example.com', text: 'Dear Ada, the engine works.' },
      { to: 'grace@example.com', text: 'Dear Grace, so does the compiler.' },
    ],
    respond: vendor.respond,
    unreachable: { credentials: { apiKey: SECRET, baseUrl: `http://127.0.0.1:${await unusedPort()}` } },
  };
}

const AT_LEAST_ONCE: Guarantee = { kind: 'at-least-once' };

/** A test a defect: the suite finds it, names it, and blames nothing else. */
export function describeDefects(defects: readonly Defect[]): void {
  let vendor: SampleVendor;

  beforeAll(async () => {
    vendor = await sampleVendor();
  });

  afterAll(() => vendor.close());

  describe('the conformance suite refuses a provider that', () => {
    for (const { name, break: breakIt, fails, guarantee = AT_LEAST_ONCE, batchSize = 1 } of defects) {
      it(name, async () => {
        const plugin = breakIt(samplePlugin({ guarantee, batchSize }));
        const options = { ...(await sampleOptions(vendor)), plugin, timeoutMs: 4_000 };
        const { result } = await withRejections(() => runConformance(options));
        const { failed } = result;
        expect(failed.map((found) => found.name)).toEqual(fails);
        // What is wrong, and what to do.
        for (const { error } of failed) expect(error.message).toMatch(/.{15}[:.,] .{15}/);
      });
    }
  });
}
