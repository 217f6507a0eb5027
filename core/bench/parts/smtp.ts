import { MAIL_CONNECTIONS } from '../contestants/mails.ts';
import { whole } from '../harness/table.ts';
import type { Bench } from './bench.ts';
import { callsPart } from './calls.ts';
import type { PartReport } from './report.ts';

/** Mails to a real SMTP server. */
export function smtpPart(bench: Bench): Promise<PartReport> {
  const { mails } = bench.options;
  return callsPart(bench, {
    receiver: 'mail',
    own: 'batchsender-smtp',
    bare: 'bare-nodemailer',
    jobs: mails,
    concurrency: MAIL_CONNECTIONS,
    noun: 'mails',
    title: `${whole(mails)} mails to a local SMTP server, over ${MAIL_CONNECTIONS} connections`,
    how:
      'The server is a process of its own and takes everything. batchsender-smtp: engine and plugin, text and HTML ' +
      'rendered from the defaults of the batch, a fence for every job. ' +
      'bare-nodemailer: the same texts by sendMail over its own pool in a loop, without a database.',
    target: { name: 'mails, of the bare nodemailer pool', limit: 0.85, kind: 'at least' },
  });
}
