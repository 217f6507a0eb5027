import { defineModule, definePlugin, type Plugin } from '@batchsender/core/plugin';
import { hubspot } from './hubspot/hubspot-provider.ts';
import { CrmPayload } from './payload.ts';
import { pipedrive } from './pipedrive/pipedrive-provider.ts';
import { recipients } from './recipients.ts';
import { type SalesforceOptions, salesforceProvider } from './salesforce/salesforce-provider.ts';
import { sandbox } from './sandbox/sandbox-provider.ts';
import { validate } from './validate.ts';
import { VERSION } from './version.ts';

export { HubspotCredentials } from './hubspot/credentials.ts';
export { CrmPayload } from './payload.ts';
export { PipedriveCredentials } from './pipedrive/credentials.ts';
export { SalesforceCredentials } from './salesforce/credentials.ts';
export type { SalesforceOptions } from './salesforce/salesforce-provider.ts';
export { SandboxCredentials } from './sandbox/sandbox-provider.ts';

/** What can be set when the plugin is made by hand. */
export interface CrmPluginOptions {
  /** Sizes and times of the provider `salesforce`. */
  readonly salesforce?: SalesforceOptions;
}

/**
 * Makes the plugin with other sizes than the default export has.
 *
 * @example
 * createEngine({ database, plugins: [crmPlugin({ salesforce: { batchSize: 50_000 } })] });
 */
export function crmPlugin(options: CrmPluginOptions = {}): Plugin {
  return definePlugin({
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
        providers: { salesforce: salesforceProvider(options.salesforce), hubspot, pipedrive, sandbox },
      }),
    ],
  });
}

export default crmPlugin();
