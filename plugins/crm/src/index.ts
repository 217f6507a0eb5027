import { defineModule, definePlugin } from '@batchsender/core/plugin';
import { hubspot } from './hubspot/hubspot-provider.ts';
import { CrmPayload } from './payload.ts';
import { recipients } from './recipients.ts';
import { sandbox } from './sandbox/sandbox-provider.ts';
import { validate } from './validate.ts';
import { VERSION } from './version.ts';

export { HubspotCredentials } from './hubspot/credentials.ts';
export { CrmPayload } from './payload.ts';
export { SandboxCredentials } from './sandbox/sandbox-provider.ts';

export default definePlugin({
  name: '@batchsender/plugin-crm',
  version: VERSION,
  contract: 1,
  modules: [
    defineModule({
      type: 'crm',
      title: 'CRM',
      version: 1,
      payload: CrmPayload,
      validate,
      recipients,
      providers: { hubspot, sandbox },
    }),
  ],
});
