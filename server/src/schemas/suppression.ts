import type { SuppressionEntry, SuppressionReason } from '@batchsender/core';
import { type Static, Type } from 'typebox';
import { COMPONENT, oneOfStrings, pageOf, pageQuery, strict, Time } from './common.ts';

const REASONS = [
  'bounced',
  'complained',
  'unsubscribed',
  'manual',
] as const satisfies readonly SuppressionReason[];

const Reason = oneOfStrings(REASONS, { [COMPONENT]: 'SuppressionReason' });

const JobType = Type.String({ minLength: 1, description: 'Type of the jobs that are not sent.' });

const Recipients = Type.Array(Type.String({ minLength: 1, maxLength: 1_000 }), {
  minItems: 1,
  maxItems: 1_000,
  description: 'Addresses as payloads of this type have them, at most 1,000. Only keyed hashes are kept.',
});

export const AddBody = strict({
  type: JobType,
  recipients: Recipients,
  reason: Type.Optional(
    oneOfStrings(REASONS, { description: 'Default `manual`. A recipient may have several.' }),
  ),
});

export const RemoveBody = strict({
  type: JobType,
  recipients: Recipients,
  reason: Type.Optional(
    oneOfStrings(REASONS, { description: 'Only for this reason. Default: all of them.' }),
  ),
});

export const CheckBody = strict({ type: JobType, recipients: Recipients });

export const Added = strict(
  { added: Type.Integer({ minimum: 0, description: 'Those that were not suppressed for this reason yet.' }) },
  { [COMPONENT]: 'SuppressionsAdded' },
);

export const Removed = strict(
  { removed: Type.Integer({ minimum: 0, description: 'Those that were on the list.' }) },
  { [COMPONENT]: 'SuppressionsRemoved' },
);

const RecipientId = Type.String({ description: 'Keyed hash of the recipient.' });

export const Checked = strict(
  {
    items: Type.Array(
      strict({
        recipient: Type.String({ description: 'As it was given.' }),
        recipientId: RecipientId,
        suppressed: Type.Boolean(),
        reasons: Type.Array(Reason),
      }),
    ),
  },
  { [COMPONENT]: 'SuppressionsChecked' },
);

const Entry = strict(
  {
    recipientId: RecipientId,
    type: Type.String(),
    reason: Reason,
    source: Type.String({ description: '`api`, or the id of the connection whose provider reported it.' }),
    at: Time,
  },
  { [COMPONENT]: 'Suppression' },
);

export const SuppressionPage = pageOf(Entry, 'SuppressionPage');

export const SuppressionsQuery = strict({
  type: Type.Optional(Type.String()),
  reason: Type.Optional(oneOfStrings(REASONS)),
  ...pageQuery,
});

/** Turns the engine's entry into the API's. */
export function suppressionView(entry: SuppressionEntry): Static<typeof Entry> {
  const { recipientId, type, reason, source, at } = entry;
  return { recipientId, type, reason, source, at: at.toISOString() };
}
