import type { Reply } from './reply.ts';

/** By the enhanced code without its first digit: RFC 3463, section 3, where nothing else is said. */
const ENHANCED: Readonly<Record<string, string>> = {
  '1.1': 'mailbox_unknown',
  '1.2': 'domain_unknown',
  '1.3': 'address_invalid',
  '1.4': 'address_ambiguous',
  '1.6': 'mailbox_moved',
  '1.7': 'sender_refused',
  '1.8': 'sender_refused',
  '1.10': 'domain_takes_no_mail', // RFC 7505, section 4.2
  '2.0': 'mailbox_unavailable',
  '2.1': 'mailbox_disabled',
  '2.2': 'mailbox_full',
  '2.3': 'message_too_large',
  '2.4': 'mailing_list_problem',
  '3.1': 'server_full',
  '3.2': 'server_unavailable',
  '3.4': 'message_too_large',
  '4.1': 'relay_unreachable',
  '4.2': 'relay_unreachable',
  '4.3': 'relay_unreachable',
  '4.4': 'domain_unknown',
  '4.5': 'server_busy',
  '4.6': 'relay_loop',
  '4.7': 'delivery_expired',
  '5.3': 'too_many_recipients',
  '6.1': 'content_refused',
  '6.3': 'content_refused',
  '6.7': 'smtputf8_unsupported', // RFC 6531, section 4.3
  '7.0': 'policy_refused',
  '7.1': 'policy_refused',
  '7.2': 'policy_refused',
  '7.20': 'sender_not_authenticated', // RFC 7372, section 3: DKIM
  '7.21': 'sender_not_authenticated',
  '7.22': 'sender_not_authenticated',
  '7.23': 'sender_not_authenticated', // SPF
  '7.24': 'sender_not_authenticated',
  '7.25': 'sender_not_authenticated', // reverse DNS
  '7.26': 'sender_not_authenticated',
  '7.27': 'sender_refused', // RFC 7505, section 4.2
};

/** By the three digits: RFC 5321, section 4.2.3, where nothing else is said. */
const BASIC: Readonly<Record<number, string>> = {
  421: 'server_unavailable',
  450: 'mailbox_busy',
  451: 'server_error',
  452: 'server_full',
  455: 'parameters_refused',
  500: 'command_refused',
  501: 'command_refused',
  502: 'command_refused',
  503: 'bad_sequence',
  504: 'command_refused',
  521: 'domain_takes_no_mail', // RFC 7504, section 3
  550: 'mailbox_unavailable',
  551: 'mailbox_moved',
  552: 'mailbox_full',
  553: 'address_invalid',
  554: 'message_refused',
  555: 'parameters_refused',
  556: 'domain_takes_no_mail', // RFC 7504, section 4
};

/** The stable code of a refusal. The enhanced code says more, so it goes first. */
export function codeOf({ status, enhanced }: Reply): string {
  const detail = enhanced === undefined ? undefined : ENHANCED[enhanced.slice(2)];
  return detail ?? BASIC[status] ?? (status < 500 ? 'server_deferred' : 'message_refused');
}
