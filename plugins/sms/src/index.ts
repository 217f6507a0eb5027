import { defineModule, definePlugin } from '@batchsender/core/plugin';
import { SmsPayload } from './payload.ts';
import { preview } from './preview.ts';
import { normalizeRecipient, recipients } from './recipients.ts';
import { sandbox } from './sandbox/sandbox-provider.ts';
import { twilio } from './twilio/twilio-provider.ts';
import { validate } from './validate.ts';
import { VERSION } from './version.ts';
import { vonage } from './vonage/vonage-provider.ts';

export { SmsPayload } from './payload.ts';
export { SandboxCredentials } from './sandbox/sandbox-provider.ts';
export { type Segments, segmentsOf } from './segments/segments.ts';
export { smartQuotes } from './segments/smart-quotes.ts';
export { TwilioCredentials } from './twilio/credentials.ts';
export { VonageCredentials } from './vonage/credentials.ts';

export default definePlugin({
  name: '@batchsender/plugin-sms',
  version: VERSION,
  contract: 1,
  modules: [
    defineModule({
      type: 'sms',
      title: 'SMS',
      version: 1,
      payload: SmsPayload,
      validate,
      preview,
      recipients,
      normalizeRecipient,
      providers: { twilio, vonage, sandbox },
    }),
  ],
});
