import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Guarantee } from '../../src/plugin/index.ts';
import { type ConformanceOptions, conformance, runConformance } from '../../src/testing/index.ts';
import { CASES, sampleOptions } from '../helpers/defects.ts';
import { samplePlugin } from '../helpers/sample-plugin.ts';
import { type SampleVendor, sampleVendor } from '../helpers/sample-vendor.ts';

const GUARANTEES: readonly Guarantee[] = [
  { kind: 'at-least-once' },
  { kind: 'at-most-once' },
  { kind: 'keyed', scope: 'job', ttlMs: 60_000 },
  { kind: 'keyed', scope: 'call', ttlMs: 60_000 },
  { kind: 'reconcilable', settleMs: 1_000 },
];

let vendor: SampleVendor;
let options: Omit<ConformanceOptions, 'plugin'>;

beforeAll(async () => {
  vendor = await sampleVendor();
  options = await sampleOptions(vendor);
});

afterAll(() => vendor.close());

describe('the conformance suite', () => {
  for (const guarantee of GUARANTEES) {
    for (const batchSize of [1, 5]) {
      it(`passes a good provider that is ${guarantee.kind} with batchSize ${batchSize}`, async () => {
        const report = await runConformance({ ...options, plugin: samplePlugin({ guarantee, batchSize }) });
        expect(report.failed).toEqual([]);
        const fitting = guarantee.kind === 'reconcilable' ? [] : ['resolve() finds a job whose call was cut'];
        const single = batchSize === 1 ? ['a call for many jobs answers one result a job'] : [];
        expect(report.skipped.map(({ name }) => name)).toEqual([...single, ...fitting]);
      });
    }
  }

  it('skips what needs a missing hook, and says which', async () => {
    const { respond: _respond, unreachable: _unreachable, ...bare } = options;
    const plugin = samplePlugin({ guarantee: { kind: 'at-least-once' }, batchSize: 1 });
    const { passed, failed, skipped } = await runConformance({ ...bare, plugin });
    expect(failed).toEqual([]);
    expect(passed).toContain('the plugin can be registered');
    const reasons = new Map(skipped.map(({ name, reason }) => [name, reason]));
    expect(reasons.get('a throttled call is answered by throttled')).toBe('give the suite respond.throttle');
    expect(reasons.get('a refused connection counts as not sent')).toBe('give the suite unreachable');
    for (const reason of reasons.values())
      expect(reason).toMatch(/^give the suite |one job a call$|^the guarantee is /);
  });

  it('does nothing in a case that is skipped', async () => {
    const plugin = samplePlugin({ guarantee: { kind: 'at-least-once' }, batchSize: 1 });
    const { respond: _respond, ...bare } = options;
    const skipped = conformance({ ...bare, plugin }).find(({ name }) => name === 'a refused job fails');
    expect(skipped?.skip).toBeDefined();
    await expect(skipped?.run()).resolves.toBeUndefined();
  });

  it('names what there is when type or provider are not found', () => {
    const plugin = samplePlugin({ guarantee: { kind: 'at-least-once' }, batchSize: 1 });
    expect(() => conformance({ ...options, plugin, type: 'mesage' })).toThrow(
      "no job type 'mesage'. It has: message",
    );
    expect(() => conformance({ ...options, plugin, provider: 'akme' })).toThrow(
      "no provider 'akme'. It has: acme",
    );
    expect(() => conformance({ ...options, plugin, payloads: [] })).toThrow(
      'give at least one valid payload',
    );
  });

  it('has a defect in these tests for every case', () => {
    const plugin = samplePlugin({ guarantee: { kind: 'at-least-once' }, batchSize: 1 });
    const names = conformance({ ...options, plugin }).map(({ name }) => name);
    expect(names.toSorted()).toEqual(Object.values(CASES).toSorted());
  });
});
