import { defineModule, definePlugin } from '@batchsender/core/plugin';
import { EmailPayload } from './payload.ts';
import { postmark } from './postmark/postmark-provider.ts';
import { normalizeRecipient, recipients } from './recipients.ts';
import { resend } from './resend/resend-provider.ts';
import { sandbox } from './sandbox/sandbox-provider.ts';
import { ses } from './ses/ses-provider.ts';
import { smtp } from './smtp/smtp-provider.ts';
import { validate } from './validate.ts';
import { VERSION } from './version.ts';

export { EmailPayload } from './payload.ts';
export { PostmarkCredentials } from './postmark/credentials.ts';
export { ResendCredentials } from './resend/credentials.ts';
export { SandboxCredentials } from './sandbox/sandbox-provider.ts';
export { SesCredentials } from './ses/credentials.ts';
export { SmtpCredentials } from './smtp/credentials.ts';

export default definePlugin({
  name: '@batchsender/plugin-email',
  version: VERSION,
  contract: 1,
  modules: [
    defineModule({
      type: 'email',
      title: 'Email',
      version: 1,
      payload: EmailPayload,
      validate,
      recipients,
      normalizeRecipient,
      providers: { smtp, ses, resend, postmark, sandbox },
    }),
  ],
});
