import type { Readable, Writable } from 'node:stream';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { Message } from '../message/compose.ts';
import type { SmtpError } from './connection.ts';

/**
 * How far a transaction came before it ended without a reply that decides.
 *
 * - `envelope`: not a byte of the message was written.
 * - `body`: a part of it was, but not its end, so that no server can have taken it
 *   (RFC 5321, section 4.1.1.4: the end of mail data is what tells it to process the message).
 * - `end`: the final dot may have arrived. Nobody knows.
 */
export type Phase = 'envelope' | 'body' | 'end';

/** How a transaction ended. */
export type Outcome =
  | { readonly kind: 'reply'; readonly response: string; readonly rejected: readonly SmtpError[] }
  | { readonly kind: 'error'; readonly error: SmtpError; readonly phase: Phase }
  | { readonly kind: 'aborted'; readonly reason: Error; readonly phase: Phase };

/**
 * The message as nodemailer asks for it. It is handed over when the server is ready for it, and
 * its end only after all of it went to the socket. So the moment from which nobody knows whether
 * the server took it is as late as can be.
 */
class Body {
  readonly #raw: Buffer;
  #target: Writable | undefined;
  #ended = false;

  constructor(raw: Buffer) {
    this.#raw = raw;
  }

  /** Called by nodemailer after the server answered 354. */
  pipe(target: Writable): Writable {
    this.#target = target;
    target.write(this.#raw, (error) => {
      if (error) return;
      this.#ended = true;
      target.end();
    });
    return target;
  }

  get phase(): Phase {
    if (this.#target === undefined) return 'envelope';
    // What nodemailer's stream still holds back has not reached the socket, and the dot is the last of it.
    const held = (this.#target as Writable & { readonly readableLength?: number }).readableLength ?? 0;
    return this.#ended && held === 0 ? 'end' : 'body';
  }
}

/** Sends a message over a connection. Never rejects. After an abort the connection is closed. */
export function transact(
  connection: SMTPConnection,
  { raw, recipients }: Message,
  sender: string,
  signal: AbortSignal,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const body = new Body(raw);
    const finish = (outcome: Outcome) => {
      signal.removeEventListener('abort', abort);
      resolve(outcome);
    };
    const abort = () => {
      finish({ kind: 'aborted', reason: signal.reason as Error, phase: body.phase });
      connection.close();
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    const envelope = { from: sender, to: recipients.map(({ mailbox }) => mailbox.address), size: raw.length };
    connection.send(envelope, body as unknown as Readable, (error, info) => {
      if (error) return finish({ kind: 'error', error: error as SmtpError, phase: body.phase });
      finish({
        kind: 'reply',
        response: info?.response ?? '',
        rejected: (info?.rejectedErrors ?? []) as readonly SmtpError[],
      });
    });
  });
}
