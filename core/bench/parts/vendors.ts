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
    concurrency: 5,
    noun: 'records',
    how: 'a fence for every call',
  },
} satisfies Record<string, Vendor>;

/** Jobs for a vendor that is played on this machine, beside a loop over the vendor's own client. */
const vendorPart =
  (vendor: Vendor) =>
  (bench: Bench): Promise<PartReport> => {
    const { name, title, concurrency, noun, how } = vendor;
    const jobs = bench.options.mails * (name === 'twilio' ? 4 : 40);
    return callsPart(bench, {
      receiver: 'vendor',
      own: `batchsender-${name}`,
      bare: `bare-${name}`,
      jobs,
      concurrency,
      noun,
      title: `${whole(jobs)} ${title}, ${concurrency} at once`,
      how:
        'The vendor is a process of its own that takes everything and speaks as much of the published format as that needs. ' +
        `batchsender-${name}: engine and plugin, ${how}, from the start to the last outcome on record. bare-${name}: the same by ` +
        "the vendor's own client in a loop, without a database.",
      target: { name: `${noun}, of a loop over the vendor's client`, limit: 0.85, kind: 'at least' },
    });
  };

export const twilioPart = vendorPart(VENDORS.twilio);
export const resendPart = vendorPart(VENDORS.resend);
export const hubspotPart = vendorPart(VENDORS.hubspot);
