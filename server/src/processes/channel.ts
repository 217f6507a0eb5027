/** One end of the pipe that node:child_process makes: `process` in the child, the child's handle in the parent. */
export interface PipeEnd {
  readonly connected: boolean;
  send?(message: object, callback?: (error: Error | null) => void): unknown;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

type Request<C, K extends keyof C> = C[K] extends (request: infer R) => unknown ? R : never;
type Answer<C, K extends keyof C> = C[K] extends (request: never) => infer R ? Awaited<R> : never;

/**
 * Typed questions and answers between two processes: interfaces of functions of one argument, both plain JSON.
 * `Theirs` is what the other side answers, `Ours` what this one does.
 */
export interface Channel<Theirs, Ours> {
  /** Asks, and waits for the answer; for ever, unless `timeoutMs` is given. @throws ChannelError */
  ask<K extends keyof Theirs & string>(
    name: K,
    request: Request<Theirs, K>,
    timeoutMs?: number,
  ): Promise<Answer<Theirs, K>>;
  /** Asks without waiting; what cannot be sent is dropped. */
  tell<K extends keyof Theirs & string>(name: K, request: Request<Theirs, K>): void;
  /** Answers what the other side asks by this name. */
  serve<K extends keyof Ours & string>(
    name: K,
    answer: (request: Request<Ours, K>) => Answer<Ours, K> | Promise<Answer<Ours, K>>,
  ): void;
}

/** The other side is gone, does not answer in time, or answered by an error, whose name and message these are. */
export class ChannelError extends Error {
  override readonly name: string;

  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

interface Message {
  /** Number of a question that waits for its answer. */
  readonly id?: number;
  /** A question. */
  readonly ask?: string;
  readonly request?: unknown;
  /** An answer. */
  readonly answer?: unknown;
  readonly error?: { readonly name: string; readonly message: string };
}

/** Opens the typed channel over a pipe. Messages that are not its own are left alone. */
export function openChannel<Theirs, Ours>(pipe: PipeEnd): Channel<Theirs, Ours> {
  const waiting = new Map<number, Waiting>();
  const served = new Map<string, (request: never) => unknown>();
  let nextId = 1;
  const send = (message: Message): void => {
    // A pipe that breaks at this moment tells by its disconnect.
    if (pipe.connected) pipe.send?.({ batchsender: message }, () => undefined);
  };
  pipe.on('message', (raw) => {
    const message = (raw as { batchsender?: Message } | null)?.batchsender;
    if (message?.ask !== undefined) void respond(served, message, send);
    else if (message?.id !== undefined) settle(waiting, message.id, message);
  });
  pipe.on('disconnect', () => {
    for (const id of [...waiting.keys()]) settle(waiting, id, { error: GONE });
  });
  return {
    ask: (name, request, timeoutMs) => {
      const id = nextId++;
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      waiting.set(id, { resolve, reject });
      if (pipe.connected) send({ id, ask: name, request });
      else settle(waiting, id, { error: GONE });
      return timeoutMs === undefined ? promise : within(promise, timeoutMs, () => waiting.delete(id));
    },
    tell: (name, request) => send({ ask: name, request }),
    serve: (name, answer) => {
      served.set(name, answer as (request: never) => unknown);
    },
  } as Channel<Theirs, Ours>;
}

const GONE = { name: 'ChannelError', message: 'The other process is gone' };

async function respond(
  served: ReadonlyMap<string, (request: never) => unknown>,
  { id, ask = '', request }: Message,
  send: (message: Message) => void,
): Promise<void> {
  const reply = (message: Message): void => {
    if (id !== undefined) send({ id, ...message });
  };
  try {
    const answer = served.get(ask);
    if (answer === undefined) throw new ChannelError('ChannelError', `Nobody answers "${ask}" here`);
    reply({ answer: await answer(request as never) });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    reply({ error: { name, message } });
  }
}

function settle(waiting: Map<number, Waiting>, id: number, { answer, error }: Message): void {
  const asked = waiting.get(id);
  waiting.delete(id);
  if (error === undefined) asked?.resolve(answer);
  else asked?.reject(new ChannelError(error.name, error.message));
}

async function within<T>(promise: Promise<T>, timeoutMs: number, giveUp: () => void): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    giveUp();
    late.reject(new ChannelError('ChannelError', `The other process did not answer within ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
