import { mailServer } from '../../../plugins/email/test/helpers/mail-server.ts';

/** A mail that the server took: it answered 250 to the final dot, or would have if the sender had lived. */
export interface AcceptedMail {
  readonly jobId: string;
  readonly to: readonly string[];
}

/** A mail server that keeps books. Senders are told apart by the job in the envelope: see {@link ENVELOPE_FROM}. */
export interface MailLedger {
  readonly port: number;
  readonly accepted: readonly AcceptedMail[];
  /** Jobs with an open transaction: from the answer to MAIL FROM until the answer to the final dot is written. */
  open(): ReadonlySet<string>;
  /** Most transactions that were open at once. */
  readonly most: number;
  close(): Promise<void>;
}

/** Setting `envelopeFrom` of the provider, from which the ledger reads the job. */
export const ENVELOPE_FROM = 'bounces+{job}@sender.example';

/** Starts a server that takes every mail, `delayMs` after its final dot. */
export async function startMailLedger(delayMs: number): Promise<MailLedger> {
  const accepted: AcceptedMail[] = [];
  const open = new Map<string, string>();
  // What a sender wrote before it was killed may be read after its connection was seen to close.
  const closed = new Set<string>();
  let most = 0;
  const server = await mailServer({
    onMailFrom({ address }, { id }, callback) {
      if (!closed.has(id)) open.set(id, jobOf(address));
      most = Math.max(most, open.size);
      callback();
    },
    onData(stream, { id, envelope }, callback) {
      stream.resume();
      stream.on('end', () => {
        setTimeout(() => {
          const { mailFrom, rcptTo } = envelope;
          const jobId = mailFrom === false ? '' : jobOf(mailFrom.address);
          accepted.push({ jobId, to: rcptTo.map(({ address }) => address) });
          open.delete(id);
          callback(null, '2.0.0 Ok');
        }, delayMs);
      });
    },
    onClose: ({ id }) => {
      closed.add(id);
      open.delete(id);
    },
  });
  return {
    port: server.port,
    accepted,
    open: () => new Set(open.values()),
    get most() {
      return most;
    },
    close: () => server.close(),
  };
}

const jobOf = (address: string): string => /^bounces\+(.+)@/.exec(address)?.[1] ?? '';
