import type { ChunkRef, Transport, TransportConsumer } from '../engine/transport.ts';
import { ConformanceError, refuseIf, violated } from './conformance-error.ts';

/** What the suite is told about a transport. */
export interface TransportConformanceOptions {
  /**
   * Opens two ends of one line that nobody else uses: what is published at one reaches consumers
   * at both. For a transport within one process, answer the same one twice. Called once a case;
   * the suite closes both.
   */
  open(): Promise<readonly [Transport, Transport]>;
  /** Within this time a reference arrives, in milliseconds. Default 15,000. */
  readonly withinMs?: number;
}

/** One thing that is asked of a transport. */
export interface TransportCase {
  /** A sentence of behaviour. */
  readonly name: string;
  /** Rejects with a ConformanceError if the transport does not conform. */
  run(): Promise<void>;
}

/** Long enough for something that must not come to come. */
const QUIET_MS = 300;
const MANY = 200;

/**
 * What the engine asks of a transport, as a list of cases for any test framework. Run them one
 * after another.
 *
 * @example
 * for (const { name, run } of transportConformance({ open })) test(name, run); // node:test
 */
export function transportConformance(options: TransportConformanceOptions): TransportCase[] {
  const withinMs = options.withinMs ?? 15_000;
  return Object.entries(CASES).map(([name, check]) => ({
    name,
    run: async () => {
      const [near, far] = await options.open();
      try {
        await check({ near, far, withinMs });
      } finally {
        await Promise.all([near.close(), far.close()]);
      }
    },
  }));
}

interface Line {
  readonly near: Transport;
  readonly far: Transport;
  readonly withinMs: number;
}

const CASES: { readonly [name: string]: (line: Line) => Promise<void> } = {
  'a reference arrives as it was published': async (line) => {
    const taker = await consume(line.far);
    const ref = refOf(7, { type: 'sms', moduleVersion: 1, connectionId: 'sms.acme' });
    await line.near.publish([ref]);
    const [got] = await taker.have(1, line);
    if (JSON.stringify(sorted(got)) !== JSON.stringify(sorted(ref)))
      violated(`Published was ${JSON.stringify(ref)}, but ${JSON.stringify(got)} arrived`);
  },
  'all of many references arrive': async (line) => {
    const taker = await consume(line.far);
    const refs = Array.from({ length: MANY }, (_, n) => refOf(n + 1));
    await line.near.publish([]);
    await line.near.publish(refs.slice(0, 1));
    await Promise.all([line.near.publish(refs.slice(1, 100)), line.near.publish(refs.slice(100))]);
    await taker.haveIds(
      refs.map(({ chunkId }) => chunkId),
      line,
    );
  },
  'a consumer gets only the types that it runs': async (line) => {
    const sms = await consume(line.near, { versions: { sms: 1 } });
    const mail = await consume(line.far, { versions: { mail: 1 } });
    await line.near.publish([refOf(1, { type: 'mail' }), refOf(2), refOf(3, { type: 'mail' })]);
    await sms.haveIds([2], line);
    await mail.haveIds([1, 3], line);
    refuseIf(wrong('a consumer of sms', sms.taken, ({ type }) => type === 'sms'));
    refuseIf(wrong('a consumer of mail', mail.taken, ({ type }) => type === 'mail'));
  },
  'a consumer gets no reference that needs a newer module': async (line) => {
    const old = await consume(line.near);
    await line.far.publish([refOf(1, { moduleVersion: 2 }), refOf(2)]);
    await old.haveIds([2], line);
    const newer = await consume(line.far, { versions: { sms: 2 } });
    await line.near.publish([refOf(3, { moduleVersion: 2 })]);
    await newer.haveIds([3], line);
    refuseIf(wrong('a consumer of version 1', old.taken, ({ moduleVersion }) => moduleVersion === 1));
  },
  'a consumer with a newer module gets the references of older ones': async (line) => {
    const newer = await consume(line.far, { versions: { sms: 3 } });
    await line.near.publish([1, 2, 3].map((moduleVersion) => refOf(moduleVersion, { moduleVersion })));
    await newer.haveIds([1, 2, 3], line);
  },
  'consumers share: each reference goes to one of them': async (line) => {
    const a = await consume(line.near);
    const b = await consume(line.far);
    const ids = Array.from({ length: MANY }, (_, n) => n + 1);
    await line.near.publish(ids.map((id) => refOf(id)));
    await until(line, () => a.taken.length + b.taken.length >= MANY, 'all of the references');
    await sleep(QUIET_MS);
    const got = [...a.taken, ...b.taken].map(({ chunkId }) => chunkId);
    if (got.length !== MANY || new Set(got).size !== MANY)
      violated(`Of ${MANY} references ${got.length} arrived, ${new Set(got).size} of them different`);
  },
  'a reference that one consumer leaves goes to another': async (line) => {
    const full = await consume(line.near, { take: () => false });
    await line.near.publish([refOf(1)]);
    const free = await consume(line.far);
    await line.near.publish([refOf(2), refOf(3)]);
    await free.haveIds([2, 3], line);
    if (full.taken.length > 0) violated('A reference that was left counts as taken');
  },
  'a consumer gets what it had no room for, when it has room': async (line) => {
    let room = 0;
    const taker = await consume(line.far, { room: () => room, take: () => room > 0 });
    const arriving = line.near.publish([refOf(1)]);
    await sleep(QUIET_MS);
    room = 10;
    taker.roomy();
    await arriving;
    await line.near.publish([refOf(2)]);
    await taker.haveIds([2], line);
  },
  'a reference that is published again arrives again': async (line) => {
    const taker = await consume(line.far);
    const again = (times: number) => taker.have(times, line);
    for (const times of [1, 2, 3]) {
      await line.near.publish([refOf(1)]);
      await again(times);
    }
  },
  'a consumer that has ended gets nothing': async (line) => {
    const gone = await consume(line.near);
    await line.near.publish([refOf(1)]);
    await gone.haveIds([1], line);
    await gone.end();
    const other = await consume(line.far);
    await line.near.publish([refOf(2), refOf(3)]);
    await other.haveIds([2, 3], line);
    if (gone.taken.length !== 1) violated('A consumer got a reference after its end');
  },
  'it may be closed while it publishes, and twice': async (line) => {
    await consume(line.far);
    const publishing = Array.from({ length: 20 }, (_, n) => line.near.publish([refOf(n)]));
    const settled = Promise.allSettled(publishing);
    await within(line, line.near.close(), 'close()');
    await within(line, line.near.close(), 'close(), called again');
    await within(line, settled, 'publish() of a transport that was closed meanwhile');
  },
  'a signal reaches the dispatchers at both ends': async (line) => {
    const [near, far] = [line.near.shared, line.far.shared];
    if (near === undefined || far === undefined) return;
    const heard: string[] = [];
    near.onSignal((inMs) => heard.push(`near ${inMs}`));
    far.onSignal((inMs) => heard.push(`far ${inMs}`));
    await until(line, () => near.ready() && far.ready(), 'ready() at both ends');
    await until(
      line,
      () => {
        near.signal(20);
        return heard.includes('near 20') && heard.includes('far 20');
      },
      'the signal at both ends',
    );
    await line.near.close();
    if (near.ready()) violated('ready() is true after close()');
  },
};

/** A consumer of the suite's own, and what it took. */
interface Taker {
  readonly taken: readonly ChunkRef[];
  /** Waits until it has taken so many. */
  have(count: number, line: Line): Promise<readonly ChunkRef[]>;
  /** Waits until it has taken all of these chunks. */
  haveIds(chunkIds: readonly number[], line: Line): Promise<void>;
  roomy(): void;
  end(): Promise<void>;
}

async function consume(transport: Transport, given: Partial<TransportConsumer> = {}): Promise<Taker> {
  const taken: ChunkRef[] = [];
  const { versions = { sms: 1 }, room = () => 1_000, take = () => true } = given;
  const consumption = await transport.consume({
    versions,
    room,
    take: (ref) => {
      const isTaken = take(ref);
      if (isTaken) taken.push(ref);
      return isTaken;
    },
  });
  return {
    taken,
    have: async (count, line) => {
      await until(line, () => taken.length >= count, `${count} references`);
      return taken;
    },
    haveIds: (chunkIds, line) => {
      const has = (id: number) => taken.some(({ chunkId }) => chunkId === id);
      return until(line, () => chunkIds.every(has), `the chunks ${chunkIds.slice(0, 5).join(', ')}`);
    },
    ...consumption,
  };
}

const refOf = (chunkId: number, more: Partial<ChunkRef> = {}): ChunkRef => ({
  chunkId,
  type: 'sms',
  moduleVersion: 1,
  connectionId: 'sms.acme',
  ...more,
});

const sorted = (ref: ChunkRef | undefined): unknown =>
  Object.entries(ref ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));

function wrong(
  who: string,
  taken: readonly ChunkRef[],
  fits: (ref: ChunkRef) => boolean,
): string | undefined {
  const stray = taken.find((ref) => !fits(ref));
  return stray === undefined ? undefined : `${who} got ${JSON.stringify(stray)}`;
}

const sleep = (forMs: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, forMs);
  });

async function until({ withinMs }: Line, isTrue: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!isTrue()) {
    if (performance.now() > deadline) violated(`Not there within ${withinMs} ms: ${what}`);
    await sleep(10);
  }
}

async function within({ withinMs }: Line, work: Promise<unknown>, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new ConformanceError(`${what} did not settle within ${withinMs} ms`);
    timer = setTimeout(() => reject(error), withinMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
