import { describe, expect, it } from 'vitest';
import { ratesOf } from '../../../src/engine/runner/rates.ts';
import type { Provider } from '../../../src/plugin/index.ts';

const provider = (fields: object): Provider => ({ title: 'Fake', ...fields }) as unknown as Provider;
const rate = { per: 'call', max: 5, windowMs: 1_000 } as const;

describe('the rates of a connection', () => {
  it('may follow from its credentials', () => {
    const asked = provider({ rates: ({ max }: { max: number }) => [{ ...rate, max }] });
    expect(ratesOf(asked, { max: 7 } as never)).toEqual([{ ...rate, max: 7 }]);
    expect(ratesOf(provider({ rates: [rate] }), {} as never)).toEqual([rate]);
    expect(ratesOf(provider({}), {} as never)).toBeUndefined();
  });

  it('must be such that a call can start', () => {
    const none = provider({ rates: () => [{ ...rate, max: 0 }] });
    expect(() => ratesOf(none, {} as never)).toThrow('rates of Fake: a rate needs per');
    const tooSmall = provider({ batchSize: 10, rates: () => [{ ...rate, per: 'job' }] });
    expect(() => ratesOf(tooSmall, {} as never)).toThrow('can never fit its rate of 5 jobs');
  });
});
