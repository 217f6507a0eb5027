import {
  blocked,
  failed,
  isNotSent,
  type JobResult,
  LostCallError,
  retry,
  throttled,
} from '@batchsender/core/plugin';
import { lookup } from '../lookup.ts';

/** The limits of an account are by the second (https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas.html). */
const THROTTLE_MS = 1_000;

/** How often a connection looks whether its quota of 24 hours, which rolls on, has room again. */
const QUOTA_MS = 900_000;

type Fate = () => JobResult;

const throttle: Fate = () => throttled(THROTTLE_MS, { scope: 'connection', code: 'rate_limit_exceeded' });
const quota: Fate = () => throttled(QUOTA_MS, { scope: 'connection', code: 'daily_quota_exceeded' });
const block =
  (code: string, message: string): Fate =>
  () =>
    blocked(code, { message });
const fail =
  (code: string, message: string): Fate =>
  () =>
    failed(code, { message });

const badKey = block(
  'invalid_credentials',
  'AWS refused the access key: it is wrong, expired or not allowed to send',
);
const unverified = block(
  'sender_not_verified',
  'SES does not let this account send from this address: verify it, or unblock the connection',
);
const suspended = block('account_suspended', 'AWS has stopped the account');
const paused = block('sending_paused', 'Sending is paused for the account or the configuration set');
const noSet = block('configuration_set_not_found', 'SES does not know the configuration set');
const rejected = fail(
  'message_rejected',
  'SES rejected the message: a virus, or an address that is not verified',
);

/**
 * By the name of the error: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html,
 * and CommonErrors.html there.
 */
const ERRORS: Readonly<Record<string, Fate>> = {
  AccountSuspendedException: suspended,
  BadRequestException: fail('bad_request', 'SES refused the request'),
  LimitExceededException: quota,
  MailFromDomainNotVerifiedException: unverified,
  MessageRejected: rejected,
  NotFoundException: noSet,
  SendingPausedException: paused,
  TooManyRequestsException: throttle,
  ThrottlingException: throttle,
  Throttling: throttle,
  AccessDeniedException: badKey,
  ExpiredTokenException: badKey,
  IncompleteSignature: badKey,
  InvalidClientTokenId: badKey,
  InvalidSignatureException: badKey,
  MissingAuthenticationToken: badKey,
  NotAuthorized: badKey,
  OptInRequired: badKey,
  RequestExpired: badKey,
  SignatureDoesNotMatch: badKey,
  UnrecognizedClientException: badKey,
  // "The request has failed due to a temporary failure of the server."
  ServiceUnavailable: () => retry('service_unavailable', { message: 'SES is not there for now' }),
};

/** By the status of an entry: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_BulkEmailEntryResult.html. */
const ENTRIES: Readonly<Record<string, Fate>> = {
  MESSAGE_REJECTED: rejected,
  MAIL_FROM_DOMAIN_NOT_VERIFIED: unverified,
  CONFIGURATION_SET_DOES_NOT_EXIST: noSet,
  TEMPLATE_DOES_NOT_EXIST: fail('template_refused', 'SES refused the template of the call'),
  ACCOUNT_SUSPENDED: suspended,
  ACCOUNT_THROTTLED: throttle,
  ACCOUNT_DAILY_QUOTA_EXCEEDED: quota,
  INVALID_SENDING_POOL_NAME: block(
    'invalid_sending_pool',
    'The IP pool of the configuration set does not exist',
  ),
  ACCOUNT_SENDING_PAUSED: paused,
  CONFIGURATION_SET_SENDING_PAUSED: paused,
  INVALID_PARAMETER: fail('invalid_parameter', 'SES refused the message'),
  TRANSIENT_FAILURE: () =>
    retry('transient_failure', { message: 'SES could not take the message this time' }),
  FAILED: fail('not_processed', 'SES could not process the message'),
};

/** What the status of an entry of a bulk call means, if it is not SUCCESS. */
export function judgeEntry(status: string | undefined): JobResult {
  const fate = lookup(ENTRIES, status);
  return (
    fate?.() ?? {
      status: 'unknown',
      code: 'invalid_response',
      message: 'SES answered nothing about this message that makes sense',
    }
  );
}

/**
 * What an error of the SDK means for the jobs of its call.
 * @throws LostCallError or NotSentError where the guarantee decides.
 */
export function judgeError(error: unknown): JobResult {
  if (error instanceof LostCallError || isNotSent(error)) return connectionResult(error);
  const { name, $metadata } = (error ?? {}) as { name?: string; $metadata?: { httpStatusCode?: number } };
  const fate = lookup(ERRORS, name);
  if (fate !== undefined) return fate();
  const status = $metadata?.httpStatusCode;
  if (status === 429) return throttle();
  if (status === 401 || status === 403) return badKey();
  if (status !== undefined && status >= 400 && status < 500) {
    return failed(`http_${status}`, { message: 'SES refused the request' });
  }
  // The SDK's own error is no cause here: it carries the whole answer.
  if (status !== undefined && status >= 500)
    throw new LostCallError(`SES answered ${status}`, `http_${status}`);
  throw new LostCallError('The answer is not one of SES', 'invalid_response');
}

/** Settings that lead nowhere are no job's fault. */
function connectionResult(error: unknown): JobResult {
  const { code, message } = error as { code: string; message: string };
  if (SETTINGS.has(code)) return blocked(code, { message });
  throw error;
}

const SETTINGS: ReadonlySet<string> = new Set([
  'address_not_allowed',
  'invalid_request',
  'invalid_url',
  'tls_certificate',
]);
