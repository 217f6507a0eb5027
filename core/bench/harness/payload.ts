/** What every contestant carries: about 300 bytes of JSON, different for each job. */
export interface BenchPayload {
  readonly to: string;
  readonly name: string;
  readonly order: { readonly id: number; readonly total: number; readonly currency: string };
  readonly tags: readonly string[];
  readonly text: string;
  readonly variables: { readonly name: string; readonly city: string; readonly link: string };
  readonly [field: string]: unknown;
}

export function benchPayload(index: number): BenchPayload {
  return {
    to: `recipient${index}@example.org`,
    name: `Recipient Number ${index}`,
    order: { id: 100_000 + index, total: 19.99, currency: 'EUR' },
    tags: ['order', 'shipped'],
    text: 'Thank you for your order. It left our house today and is on its way to you.',
    variables: { name: `Recipient ${index}`, city: 'Utrecht', link: `https://example.org/orders/${index}` },
  };
}

export function benchPayloads(count: number): BenchPayload[] {
  return Array.from({ length: count }, (_, index) => benchPayload(index));
}

/** Counts down to zero and then resolves: how a no-op handler says that all were called. */
export function countdown(count: number): { readonly hit: () => void; readonly done: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = count;
  const hit = () => {
    left -= 1;
    if (left === 0) resolve();
  };
  return { hit, done: promise };
}
