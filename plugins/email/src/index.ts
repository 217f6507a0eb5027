import { defineModule, definePlugin } from '@batchsender/core/plugin';
import { EmailPayload } from './payload.ts';
import { normalizeRecipient, recipients } from './recipients.ts';
import { sandbox } from './sandbox/sandbox-provider.ts';
import { smtp } from './smtp/smtp-provider.ts';
import { validate } from './validate.ts';
import { VERSION } from './version.ts';

export { EmailPayload } from './payload.ts';
export { SandboxCredentials } from './sandbox/sandbox-provider.ts';
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
      providers: { smtp, sandbox },
    }),
  ],
});
