import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A reply (without its line end), or what to do with the connection. */
export type Action = string | ((socket: Socket) => void);

/** Cuts the connection. */
export const cut: Action = (socket) => socket.destroy();

/** Never answers. */
export const silence: Action = () => undefined;

/** What the server does at each step; what is left out goes well. */
export interface Script {
  greeting?: Action;
  ehlo?: Action;
  starttls?: Action;
  auth?: Action;
  mail?: Action;
  rcpt?: Action;
  /** Replies by address, in place of `rcpt`. */
  rcptFor?: Readonly<Record<string, string>>;
  data?: Action;
  dot?: Action;
}

/** An SMTP server that misbehaves as it is told, on 127.0.0.1. Its script may be changed at any time. */
export interface RawServer {
  readonly port: number;
  script: Script;
  readonly connections: number;
  /** All commands, without the lines of messages. */
  readonly commands: string[];
  /** Messages that came with their final dot. */
  readonly messages: string[];
  close(): Promise<void>;
}

/** Says what the server can do, in the form of EHLO. */
export const can = (...extensions: string[]): string =>
  ['raw.example', ...extensions]
    .map((line, at) => `250${at === extensions.length ? ' ' : '-'}${line}`)
    .join('\r\n');

export async function rawServer(script: Script = {}): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const state = { script, connections: 0, commands: [] as string[], messages: [] as string[] };
  const server = createServer((socket) => {
    state.connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    converse(socket, state);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  });
}

type State = Pick<RawServer, 'script' | 'commands' | 'messages'>;

function converse(socket: Socket, state: State): void {
  let pending = '';
  let inMessage = false;
  const act = (action: Action) => {
    if (typeof action === 'function') action(socket);
    else socket.write(`${action}\r\n`);
  };
  act(state.script.greeting ?? '220 raw.example ESMTP');
  socket.on('data', (chunk: Buffer) => {
    pending += chunk.toString('latin1');
    for (;;) {
      // A message begins with a line end of its own here, so that an empty one has the same end.
      const end = pending.indexOf(inMessage ? '\r\n.\r\n' : '\r\n');
      if (end < 0) return;
      const text = pending.slice(0, end);
      pending = pending.slice(end + (inMessage ? 5 : 2));
      if (inMessage) {
        inMessage = false;
        state.messages.push(text);
        act(state.script.dot ?? '250 2.0.0 Ok');
        continue;
      }
      state.commands.push(text);
      const action = answer(text, state.script);
      inMessage = typeof action === 'string' && action.startsWith('354');
      if (inMessage) pending = `\r\n${pending}`;
      act(action);
    }
  });
}

function answer(line: string, script: Script): Action {
  const verb = line.split(' ')[0]?.toUpperCase() ?? '';
  switch (verb) {
    case 'EHLO':
    case 'HELO':
      return script.ehlo ?? can('PIPELINING', 'SIZE 50000000');
    case 'STARTTLS':
      return script.starttls ?? '502 5.5.1 Not here';
    case 'AUTH':
      return script.auth ?? '235 2.7.0 Welcome';
    case 'MAIL':
      return script.mail ?? '250 2.1.0 Ok';
    case 'RCPT':
      return rcpt(line, script);
    case 'DATA':
      return script.data ?? '354 Go on';
    case 'QUIT':
      return (socket) => socket.end('221 Bye\r\n');
    default:
      return '250 Ok';
  }
}

function rcpt(line: string, { rcpt: action = '250 2.1.5 Ok', rcptFor = {} }: Script): Action {
  return rcptFor[/<(.*)>/.exec(line)?.[1] ?? ''] ?? action;
}
