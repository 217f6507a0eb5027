import { createTransport } from 'nodemailer';
import { mail } from '../harness/mail.ts';
import { type Contestant, inParallel, timed } from './contestant.ts';

/** The same mails over nodemailer's own pool: no database, no templates, no rule against a second delivery. */
export const bareNodemailer: Contestant = {
  prepare: async () => undefined,
  drain: async ({ receiverUrl = '', concurrency = 1, jobs, warmUpJobs = 0 }) => {
    const { hostname: host, port } = new URL(receiverUrl);
    const transport = createTransport({
      pool: true,
      host,
      port: Number(port),
      ignoreTLS: true,
      maxConnections: concurrency,
    });
    // Twice the connections, so that the next message is ready when one comes free; more brought nothing.
    const send = (count: number) =>
      inParallel(concurrency * 2, count, async (index) => {
        const to = `recipient${index}@example.org`;
        const { rejected } = await transport.sendMail({
          to,
          ...mail(`Recipient ${index}`, String(100_000 + index)),
        });
        if (rejected.length > 0) throw new Error('The receiver refused a mail');
      });
    await send(warmUpJobs);
    const ms = await timed(() => send(jobs));
    transport.close();
    return ms;
  },
};
