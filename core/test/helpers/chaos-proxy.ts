import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy in front of Postgres that breaks what networks break. */
export interface ChaosProxy {
  /** Connection string that goes through the proxy. */
  readonly url: string;
  /** Breaks all connections; new ones are welcome. */
  cut(): void;
  /** Breaks all connections and refuses new ones for ever: the wire of a killed process. */
  kill(): void;
  /** Nothing passes in either direction for this long; then everything does, late. */
  stall(forMs: number): void;
  /**
   * The next `count` statements whose message holds one of `words` reach Postgres, but their
   * connection breaks before the reply arrives; or `atOnce`, while the statement runs.
   */
  loseReplies(words: readonly string[], count: number, atOnce?: boolean): void;
  /** Connections that were broken by `loseReplies` so far. */
  readonly lost: number;
  close(): Promise<void>;
}

export interface ChaosProxyOptions {
  /** Changes what the server says, in pieces as they arrive. */
  readonly rewrite?: (data: Buffer) => Buffer;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** The reply to the statement under way is lost. */
  muted: boolean;
}

interface Fate {
  stalledUntil: number;
  words: readonly string[];
  losses: number;
  lost: number;
  atOnce: boolean;
}

/** Starts a proxy to the server of `url`. */
export async function chaosProxy(url: string, options: ChaosProxyOptions = {}): Promise<ChaosProxy> {
  const target = new URL(url);
  const links = new Set<Link>();
  const fate: Fate = { stalledUntil: 0, words: [], losses: 0, lost: 0, atOnce: false };
  let killed = false;
  const listener = createServer((client) => {
    client.on('error', () => undefined);
    if (killed) client.destroy();
    else join(client, connect(Number(target.port || 5432), target.hostname), { links, fate, ...options });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const cut = () => {
    for (const link of links) destroy(link);
  };
  const kill = () => {
    killed = true;
    cut();
  };
  const own = new URL(url);
  own.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return {
    url: own.href,
    cut,
    kill,
    stall: (forMs) => {
      fate.stalledUntil = Math.max(fate.stalledUntil, performance.now() + forMs);
    },
    loseReplies: (words, count, atOnce = false) => Object.assign(fate, { words, losses: count, atOnce }),
    get lost() {
      return fate.lost;
    },
    close: async () => {
      kill();
      listener.close();
      await once(listener, 'close');
    },
  };
}

function destroy(link: Link): void {
  link.client.destroy();
  link.server.destroy();
}

function join(
  client: Socket,
  server: Socket,
  env: ChaosProxyOptions & { links: Set<Link>; fate: Fate },
): void {
  const { links, fate, rewrite } = env;
  const link: Link = { client, server, muted: false };
  links.add(link);
  client.setNoDelay(true);
  server.setNoDelay(true);
  for (const socket of [client, server]) {
    socket.on('error', () => destroy(link));
    socket.on('close', () => {
      links.delete(link);
      destroy(link);
    });
  }
  carry(client, fate, (data) => {
    const loses = fate.losses > 0 && !link.muted && fate.words.some((word) => data.includes(word));
    if (loses) {
      fate.losses -= 1;
      fate.lost += 1;
      link.muted = true;
    }
    if (loses && fate.atOnce) server.write(data, () => destroy(link));
    else server.write(data);
  });
  carry(server, fate, (data) => {
    if (link.muted) destroy(link);
    else client.write(rewrite === undefined ? data : rewrite(data));
  });
}

/** Passes data on, in order; while the wire is stalled it waits. */
function carry(from: Socket, fate: Fate, pass: (data: Buffer) => void): void {
  const deliver = (data: Buffer) => {
    const wait = fate.stalledUntil - performance.now();
    if (wait <= 0) return pass(data);
    from.pause();
    setTimeout(() => {
      deliver(data);
      if (fate.stalledUntil <= performance.now()) from.resume();
    }, wait);
  };
  from.on('data', deliver);
}
