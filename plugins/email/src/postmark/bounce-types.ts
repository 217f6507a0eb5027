import { lookup } from '../lookup.ts';

/** What a bounce of Postmark means for us. */
export type BounceFate =
  /** The message did not arrive. */
  | 'bounced'
  /** The address does not work: nothing is sent to it any more. */
  | 'dead'
  /** The person says that it is unwanted. */
  | 'complained'
  | 'unsubscribed'
  | 'subscribed'
  /** No end of the message: it is only late, or a machine answered. */
  | 'none';

/** By `Type`: https://postmarkapp.com/developer/api/bounce-api#bounce-types. */
const FATES: Readonly<Record<string, BounceFate>> = {
  HardBounce: 'dead',
  Transient: 'none',
  Unsubscribe: 'unsubscribed',
  Subscribe: 'subscribed',
  AutoResponder: 'none',
  AddressChange: 'none',
  DnsError: 'bounced',
  SpamNotification: 'bounced',
  OpenRelayTest: 'none',
  Unknown: 'bounced',
  SoftBounce: 'bounced',
  VirusNotification: 'bounced',
  ChallengeVerification: 'none',
  BadEmailAddress: 'dead',
  SpamComplaint: 'complained',
  ManuallyDeactivated: 'bounced',
  Unconfirmed: 'bounced',
  Blocked: 'bounced',
  SMTPApiError: 'bounced',
  InboundError: 'none',
  DMARCPolicy: 'bounced',
  TemplateRenderingFailed: 'bounced',
};

/** A type that is not known yet is a bounce. `Inactive` says that Postmark itself gives the address up. */
export function bounceFate(type: string, inactive: boolean): BounceFate {
  const fate = lookup(FATES, type) ?? 'bounced';
  return fate === 'bounced' && inactive ? 'dead' : fate;
}
