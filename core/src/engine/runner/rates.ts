import type { Provider, Rate } from '../../plugin/index.ts';

/** What is wrong with a rate; undefined if nothing is. */
export function rateProblem(rate: Rate, batchSize = 1): string | undefined {
  if (!(rate.max >= 1) || !(rate.windowMs >= 1) || (rate.per !== 'call' && rate.per !== 'job'))
    return "a rate needs per ('call' or 'job'), max from 1 and windowMs from 1";
  if (rate.per === 'job' && batchSize > rate.max)
    return `a call of batchSize ${batchSize} jobs can never fit its rate of ${rate.max} jobs`;
  return undefined;
}

/** A provider's rates for a connection; undefined if it has none. @throws if its function gives no usable ones. */
export function ratesOf(provider: Provider, credentials: never): readonly Rate[] | undefined {
  const { rates, batchSize } = provider;
  if (typeof rates !== 'function') return rates;
  const asked = rates(credentials);
  for (const rate of asked) {
    const problem = rateProblem(rate, batchSize);
    if (problem !== undefined) throw new Error(`rates of ${provider.title}: ${problem}`);
  }
  return asked;
}
