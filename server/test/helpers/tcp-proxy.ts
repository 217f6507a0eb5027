import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy whose cable can be pulled. */
export interface TcpProxy {
  readonly port: number;
  /** Cuts all connections and refuses new ones. */
  pull(): Promise<void>;
  /** Takes connections again, on the same port. */
  plug(): Promise<void>;
}

/** Starts a proxy to a port of this machine. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy()).on('close', () => sockets.delete(from) && to.destroy());
      from.pipe(to);
    }
  });
  const listen = (on: number): Promise<void> =>
    new Promise((resolve) => server.listen(on, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    plug: () => listen(port),
    pull: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
