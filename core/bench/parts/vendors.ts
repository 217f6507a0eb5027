import { whole } from '../harness/table.ts';
import type { Bench } from './bench.ts';
import { callsPart } from './calls.ts';
import type { PartReport } from './report.ts';

interface Vendor {
  readonly name: 'twilio' | 'resend' | 'hubspot';
  readonly title: string;
  /** Calls at once, as the provider has them by default. */
  readonly concurrency: number;
  readonly noun: string;
  readonly how: string;
}

const VENDORS = {
  twilio: {
    name: 'twilio',
    title: 'text messages to a local Twilio',
    concurrency: 20,
    noun: 'messages',
    how: 'a fence for every job',
  },
  resend: {
    name: 'resend',
    title: 'emails to a local Resend, 100 a request',
    concurrency: 10,
    noun: 'emails',
    how: 'text and HTML rendered from the defaults of the batch',
  },
  hubspot: {
    name: 'hubspot',
    title: 'new contacts to a local HubSpot, 100 a request',
    concurrency: 10,
    noun: 'records',
    how: 'a fence for every call',
  },
} satisfies Record<string, Vendor>;

/** A round trip and some work: no vendor on the internet is quicker. */
const DELAY_MS = 50;

/** Jobs for a vendor that is played on this machine, beside a loop over the vendor's own client. */
const atOnce =
  (vendor: Vendor, jobsAMail: number) =>
  (bench: Bench): Promise<PartReport> =>
    vendorPart(bench, vendor, bench.options.mails * jobsAMail, 0);

/** For vendors whose requests hold many jobs: beside one that answers at once, one that takes the time of a network. */
const bothWays =
  (vendor: Vendor) =>
  async (bench: Bench): Promise<PartReport> => {
    const quick = await atOnce(vendor, 40)(bench);
    const slow = await vendorPart(bench, vendor, bench.options.mails * 10, DELAY_MS);
    return {
      title: quick.title,
      how: quick.how,
      table: `${quick.table}\n\n${slow.title}:\n\n${slow.table}`,
      targets: [...quick.targets, ...slow.targets],
      figures: { atOnce: quick.figures, delayed: slow.figures },
    };
  };

function vendorPart(bench: Bench, vendor: Vendor, jobs: number, delayMs: number): Promise<PartReport> {
  const { name, title, concurrency, noun, how } = vendor;
  const answers = delayMs === 0 ? '' : `, answered after ${delayMs} ms`;
  const manyAtOnce = name !== 'twilio';
  // Where many jobs share a request that is answered at once, no sender that keeps a record comes near (docs/decisions/0027).
  const isBound = !manyAtOnce || delayMs > 0;
  return callsPart(bench, {
    receiver: 'vendor',
    own: `batchsender-${name}`,
    bare: `bare-${name}`,
    jobs,
    concurrency,
    noun,
    title: `${whole(jobs)} ${title}, ${concurrency} at once${answers}`,
    how:
      'The vendor is a process of its own that takes everything and speaks as much of the published format as that needs. ' +
      `batchsender-${name}: engine and plugin, ${how}. bare-${name}: the same by ` +
      "the vendor's own client in a loop, without a database." +
      (manyAtOnce
        ? ` logged-${name}: that loop, and a row in a table for each outcome before the next request.`
        : ''),
    ...(isBound
      ? {
          target: {
            name: `${noun}, of a loop over the vendor's client${answers}`,
            limit: 0.85,
            kind: 'at least',
          },
        }
      : {}),
    ...(manyAtOnce ? { logged: `logged-${name}` } : {}),
    delayMs,
  });
}

export const twilioPart = atOnce(VENDORS.twilio, 4);
export const resendPart = bothWays(VENDORS.resend);
export const hubspotPart = bothWays(VENDORS.hubspot);
