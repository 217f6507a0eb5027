import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { payloadBytes } from '../../../src/engine/runner/payload-bytes.ts';
import type { JobPayload } from '../../../src/plugin/index.ts';

const payloads = fc
  .dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }))
  .map((value) => value as JobPayload);
const exact = (payload: JobPayload) => Buffer.byteLength(JSON.stringify(payload));

describe('the size of a payload', () => {
  it('is exact where it matters', () => {
    fc.assert(fc.property(payloads, (payload) => payloadBytes(payload, 0) === exact(payload)));
  });

  it('is never less than it is, and no more than is enough unless it is exact', () => {
    fc.assert(
      fc.property(payloads, fc.nat(5_000), (payload, enough) => {
        const bytes = payloadBytes(payload, enough);
        expect(bytes).toBeGreaterThanOrEqual(exact(payload));
        expect(bytes <= enough || bytes === exact(payload)).toBe(true);
      }),
    );
  });

  it('counts control characters as they are written', () => {
    const payload = { text: '\u0001'.repeat(100) };
    expect(payloadBytes(payload, 1_000)).toBeGreaterThanOrEqual(exact(payload));
  });
});
