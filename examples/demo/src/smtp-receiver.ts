import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { Ledger } from './ledger.ts';
import { type Listening, listen } from './listen.ts';

/** A mail server, and what it got. */
export interface SmtpReceiver extends Listening {
  readonly ledger: Ledger;
}

/** What the server says to a message. `cut` and `silent` say nothing. */
type Answer = { readonly taken: boolean; readonly reply: Error | 'accepted' | 'cut' | 'silent' };

/** A mail server needs a moment to store a message. */
const STORE_MS = 25;

/** A message that was cut before its end is no message. */
const ignore = (): void => undefined;

const refusal = (responseCode: number, text: string): Error =>
  Object.assign(new Error(text), { responseCode });

/** Starts a mail server that treats its recipients by their domain; see `recipients.ts`. */
export async function startSmtpReceiver(): Promise<SmtpReceiver> {
  const ledger = new Ledger();
  const sockets = new Map<number, Socket>();
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onRcptTo({ address }, _session, callback) {
      const refused = recipientRefusal(domainOf(address));
      if (refused !== undefined) ledger.note({ key: address, taken: false });
      callback(refused);
    },
    onData(stream, session, callback) {
      void takeMessage(stream, session, ledger).then((reply) => {
        if (reply === 'accepted') callback(null, `2.0.0 Ok: queued as ${session.id}`);
        else if (reply === 'cut') sockets.get(session.remotePort)?.destroy();
        else if (reply !== 'silent') callback(reply);
      }, ignore);
    },
  });
  server.on('error', () => undefined);
  server.server.on('connection', (socket: Socket) => {
    const { remotePort = 0 } = socket;
    sockets.set(remotePort, socket);
    socket.on('close', () => sockets.delete(remotePort));
  });
  return { ...(await listen(server.server)), ledger };
}

async function takeMessage(
  stream: SMTPServerDataStream,
  { envelope }: SMTPServerSession,
  ledger: Ledger,
): Promise<Answer['reply']> {
  let message = '';
  for await (const chunk of stream) message += String(chunk);
  await sleep(STORE_MS);
  const address = envelope.rcptTo[0]?.address ?? '';
  const { taken, reply } = answerTo(domainOf(address), ledger.knows(address));
  ledger.note({ key: address, taken, mark: jobOf(message) });
  return reply;
}

function recipientRefusal(domain: string): Error | undefined {
  if (domain === 'gone.example') return refusal(550, '5.1.1 No such user here');
  return domain === 'full.example' ? refusal(552, '5.2.2 Mailbox full') : undefined;
}

function answerTo(domain: string, again: boolean): Answer {
  switch (domain) {
    case 'strict.example':
      return { taken: false, reply: refusal(554, '5.7.1 Refused by policy') };
    case 'grey.example':
      // Servers greylist at RCPT or, as rspamd does, after the message. At RCPT the plugin would wait five minutes.
      return again
        ? { taken: true, reply: 'accepted' }
        : { taken: false, reply: refusal(451, '4.7.1 Greylisted, please come back') };
    case 'cut-after.example':
      return { taken: true, reply: 'cut' };
    case 'cut-before.example':
      return { taken: false, reply: 'cut' };
    case 'silent.example':
      return { taken: true, reply: 'silent' };
    default:
      return { taken: true, reply: 'accepted' };
  }
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);

/** The job that a message belongs to: the plugin makes the `Message-ID` of its id. */
const jobOf = (message: string): string => /^message-id: <([^@>]+)@/im.exec(message)?.[1] ?? 'no Message-ID';
