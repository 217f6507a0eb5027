import {
  type CallbackAnswer,
  type CallbackContext,
  type Callbacks,
  callbackRefused,
} from '@batchsender/core/plugin';
import { readFields, textAt } from '../receipts/read.ts';
import type { SesCredentials } from './credentials.ts';
import { eventAnswer } from './events.ts';
import { signingKey, snsHost } from './sns-certificates.ts';
import { isSignedBy, readSnsMessage, type SnsMessage } from './sns-message.ts';

type Context = Pick<CallbackContext<SesCredentials>, 'credentials' | 'fetch' | 'logger' | 'connectionId'>;

/** Receipts of SES, which SNS signs and delivers. */
export const callbacks: Callbacks<SesCredentials> = {
  async handle(request, context): Promise<CallbackAnswer> {
    const { credentials, fetch } = context;
    const message = readSnsMessage(request.body, credentials.topicArn);
    const key = await signingKey(textAt(message.fields, 'SigningCertURL'), message.topicArn, fetch);
    if (!isSignedBy(message, key)) {
      throw callbackRefused(401, 'invalid_signature', 'The signature does not fit the message');
    }
    if (message.type === 'SubscriptionConfirmation') return confirm(message, context);
    if (message.type === 'UnsubscribeConfirmation') return { events: [] };
    // The text that SES sends once to a new topic is no JSON.
    return message.message.startsWith('{')
      ? eventAnswer(readFields(message.message), message.messageId)
      : { events: [] };
  },
};

/** Answers the handshake, now that the message is known to be of SNS and of our topic. */
async function confirm(
  { fields, topicArn }: SnsMessage,
  { fetch, logger, connectionId }: Context,
): Promise<CallbackAnswer> {
  const url = URL.parse(textAt(fields, 'SubscribeURL') ?? '');
  const isConfirmation =
    url?.protocol === 'https:' &&
    url.host === snsHost(topicArn) &&
    url.searchParams.get('Action') === 'ConfirmSubscription' &&
    url.searchParams.get('TopicArn') === topicArn;
  if (!isConfirmation) {
    throw callbackRefused(
      400,
      'invalid_subscription',
      'SubscribeURL does not confirm a subscription of the topic',
    );
  }
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  await response.body?.cancel();
  // Answered with 500, so that SNS asks again.
  if (!response.ok) throw new Error(`SNS answered ${response.status} to the confirmation`);
  logger.info({ connectionId }, 'the subscription to the SNS topic of this connection is confirmed');
  return { events: [] };
}
