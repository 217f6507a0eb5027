import { describe, expect, it } from 'vitest';
import {
  type ChunkRef,
  createInProcessTransport,
  type Transport,
  type TransportConsumer,
} from '../../src/engine/transport.ts';
import { ConformanceError, transportConformance } from '../../src/testing/index.ts';

/** What a transport does wrong, by the case that finds it. */
const DEFECTS: { readonly [name: string]: (good: Transport) => Partial<Transport> } = {
  'a reference arrives as it was published': (good) => ({
    publish: (refs) => good.publish(refs.map((ref) => ({ ...ref, connectionId: '' }))),
  }),
  'all of many references arrive': (good) => ({
    publish: (refs) => good.publish(refs.filter(({ chunkId }) => chunkId !== 150)),
  }),
  'a consumer gets only the types that it runs': withConsumer((consumer) => ({
    ...consumer,
    versions: { sms: 1, mail: 1 },
  })),
  'a consumer gets no reference that needs a newer module': withConsumer((consumer) => ({
    ...consumer,
    versions: { sms: 9 },
  })),
  'a consumer with a newer module gets the references of older ones': (good) => ({
    publish: (refs) => good.publish(refs.filter(({ moduleVersion }) => moduleVersion === 3)),
  }),
  'consumers share: each reference goes to one of them': withConsumer((consumer) => ({
    ...consumer,
    take: (ref) => consumer.take(ref) && false,
  })),
  'a reference that one consumer leaves goes to another': withConsumer((consumer) => ({
    ...consumer,
    take: (ref) => {
      consumer.take(ref);
      return true;
    },
  })),
  'a consumer gets what it had no room for, when it has room': withConsumer((consumer) => {
    let isFull = false;
    return {
      ...consumer,
      take: (ref) => {
        isFull ||= consumer.room() <= 0;
        return !isFull && consumer.take(ref);
      },
    };
  }),
  'a reference that is published again arrives again': (good) => {
    const seen = new Set<number>();
    const isNew = ({ chunkId }: ChunkRef) => !seen.has(chunkId) && seen.add(chunkId);
    return { publish: (refs) => good.publish(refs.filter(isNew)) };
  },
  'a consumer that has ended gets nothing': (good) => ({
    consume: async (consumer) => ({ ...(await good.consume(consumer)), end: async () => undefined }),
  }),
  'it may be closed while it publishes, and twice': () => ({ publish: () => new Promise(() => undefined) }),
  'a signal reaches the dispatchers at both ends': () => ({
    shared: { ready: () => true, signal: () => undefined, onSignal: () => undefined },
  }),
};

function withConsumer(change: (consumer: TransportConsumer) => TransportConsumer) {
  return (good: Transport): Partial<Transport> => ({ consume: (consumer) => good.consume(change(consumer)) });
}

const casesOf = (defect: (good: Transport) => Partial<Transport>) =>
  transportConformance({
    withinMs: 500,
    open: async () => {
      const good = createInProcessTransport();
      const transport = { ...good, ...defect(good) };
      return [transport, transport];
    },
  });

describe('the conformance suite of transports', () => {
  it('has a defect in these tests for every case', () => {
    expect(casesOf(() => ({})).map(({ name }) => name)).toEqual(Object.keys(DEFECTS));
  });

  for (const [name, defect] of Object.entries(DEFECTS)) {
    it(`finds a transport that breaks: ${name}`, async () => {
      const broken = casesOf(defect).find((one) => one.name === name);
      await expect(broken?.run()).rejects.toThrow(ConformanceError);
    });
  }
});
