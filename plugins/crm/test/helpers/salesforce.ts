import { randomUUID } from 'node:crypto';
import {
  type HttpVendor,
  httpVendor,
  type Mood,
  type VendorAnswer,
  type VendorRequest,
} from './http-vendor.ts';
import { type Authorized, isGranted } from './oauth-grant.ts';
import { SalesforceBulk } from './salesforce-bulk.ts';
import {
  type Done,
  error,
  type Fields,
  isUnknown,
  type Operation,
  type RecordError,
  refusal,
  type Write,
} from './salesforce-wire.ts';

// Salesforce's wire format. sObject Collections: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm,
// Bulk API 2.0: https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_0.htm,
// errors: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm

export interface SalesforceWrite {
  readonly operation: Operation;
  readonly object: string;
  readonly id: string;
  readonly via: 'collections' | 'bulk';
}

export interface Salesforce extends HttpVendor {
  readonly records: Map<string, Record<string, unknown>>;
  /** Ids by field and value of an external id. */
  readonly byExternalId: Map<string, string>;
  /** Every record that was written, in order: what the outcomes are compared with. */
  readonly ledger: SalesforceWrite[];
  readonly bulk: SalesforceBulk;
  token: string;
  readonly client: { id: string; secret: string };
  readonly authorized: Authorized;
  /** Fields that the object has. Default: all that anybody names. */
  fields: ReadonlySet<string> | undefined;
  /** What is wrong with a record; undefined if nothing is. */
  problem: (record: Fields) => RecordError | undefined;
  /** The error of a 403 in the mood `throttle`. */
  limit: string;
  remaining: number;
}

/** An organisation of Salesforce with a ledger. */
export async function salesforceVendor(token = '00D-canary!token-41b7'): Promise<Salesforce> {
  const vendor = await httpVendor((request, mood) => answer(salesforce, request, mood));
  const salesforce: Salesforce = Object.assign(vendor, {
    records: new Map<string, Record<string, unknown>>(),
    byExternalId: new Map<string, string>(),
    ledger: [],
    bulk: new SalesforceBulk((write) => apply(salesforce, write)),
    token,
    authorized: { challenge: '' },
    client: { id: 'consumer-key', secret: 'consumer-secret-canary' },
    fields: undefined,
    problem: () => undefined,
    limit: 'TotalRequests Limit exceeded.',
    remaining: 14_000,
  });
  return salesforce;
}

function answer(salesforce: Salesforce, request: VendorRequest, mood: Mood): VendorAnswer {
  const { pathname } = request.url;
  if (pathname === '/services/oauth2/token') return giveToken(salesforce, request);
  if (mood === 'broken') return { status: 500, body: [{ errorCode: 'UNKNOWN_EXCEPTION', message: 'Oops' }] };
  if (mood === 'throttle') return error(403, 'REQUEST_LIMIT_EXCEEDED', salesforce.limit);
  if (mood === 'auth' || request.headers.authorization !== `Bearer ${salesforce.token}`) {
    return error(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
  }
  const [, path = ''] = /^\/services\/data\/v62\.0(\/.*)$/.exec(pathname) ?? [];
  if (path === '/limits') {
    return { status: 200, body: { DailyApiRequests: { Max: 15_000, Remaining: salesforce.remaining } } };
  }
  if (path.startsWith('/composite/sobjects')) return collections(salesforce, request, path, mood);
  if (path.startsWith('/jobs/ingest')) return salesforce.bulk.answer(request, path, mood, salesforce.fields);
  return error(404, 'NOT_FOUND', 'The requested resource does not exist');
}

function giveToken(salesforce: Salesforce, { text }: VendorRequest): VendorAnswer {
  const form = new URLSearchParams(text);
  const { id, secret } = salesforce.client;
  const grantType = form.get('grant_type');
  if (grantType !== 'client_credentials' && !isGranted(form, salesforce.authorized)) {
    return { status: 400, body: { error: 'invalid_grant', error_description: 'expired authorization code' } };
  }
  if (form.get('client_id') !== id || form.get('client_secret') !== secret) {
    return {
      status: 400,
      body: { error: 'invalid_client', error_description: 'invalid client credentials' },
    };
  }
  const body = { access_token: salesforce.token, instance_url: salesforce.url, token_type: 'Bearer' };
  if (grantType === 'authorization_code')
    return { status: 200, body: { ...body, refresh_token: 'refresh-1' } };
  return { status: 200, body };
}

function collections(salesforce: Salesforce, request: VendorRequest, path: string, mood: Mood): VendorAnswer {
  if (request.method === 'DELETE') {
    const ids = request.url.searchParams.get('ids')?.split(',') ?? [];
    return {
      status: 200,
      body: ids.map((Id) =>
        collectionResult(salesforce, { operation: 'delete', object: '', fields: { Id } }),
      ),
    };
  }
  const { records = [], allOrNone } = request.json as { records?: Fields[]; allOrNone?: boolean };
  if (records.length > 200 || allOrNone !== false) return error(400, 'INVALID_INPUT', 'Too many records');
  const strange = records
    .flatMap((record) => Object.keys(record))
    .find((name) => isUnknown(salesforce.fields, name));
  const [, object = '', key] = /^\/composite\/sobjects(?:\/([^/]+)\/([^/]+))?$/.exec(path) ?? [];
  const type = (records[0]?.['attributes'] as { type: string } | undefined)?.type ?? object;
  if (type === 'Nothing__c') return error(404, 'NOT_FOUND', 'The requested resource does not exist');
  if (strange !== undefined) {
    return error(400, 'INVALID_FIELD', `No such column '${strange}' on sobject of type ${type}`);
  }
  const operation = collectionOperation(request.method, key);
  const body = records.map(({ attributes: _attributes, id, ...fields }) => {
    const write = { operation, object: type, key, fields: id === undefined ? fields : { ...fields, Id: id } };
    return mood === 'refuse' ? refusedResult(fields) : collectionResult(salesforce, write);
  });
  return { status: 200, body };
}

const collectionOperation = (method: string, key: string | undefined): Operation => {
  if (method === 'POST') return 'insert';
  return key === undefined ? 'update' : 'upsert';
};

const refusedResult = (fields: Fields) => ({ success: false, errors: [refusal(fields)] });

function collectionResult(salesforce: Salesforce, write: Write): object {
  const done = apply(salesforce, { ...write, via: 'collections' });
  if ('statusCode' in done) return { success: false, errors: [done] };
  const created = write.operation === 'upsert' ? { created: done.created } : {};
  return { id: done.id, success: true, errors: [], ...created };
}

/** Writes one record, whichever API it came by. */
function apply(
  salesforce: Salesforce,
  { operation, object, key, fields, via }: Write & { via: SalesforceWrite['via'] },
): Done {
  const { records, ledger } = salesforce;
  const problem = salesforce.problem(fields);
  if (problem !== undefined) return problem;
  const known = findRecord(salesforce, operation, key, fields);
  if (known === undefined && (operation === 'update' || operation === 'delete')) {
    const statusCode = operation === 'delete' ? 'ENTITY_IS_DELETED' : 'INVALID_CROSS_REFERENCE_KEY';
    return { statusCode, message: 'entity is deleted', fields: [] };
  }
  const id = known ?? `003${randomUUID().replaceAll('-', '').slice(0, 12)}AAA`;
  if (operation === 'delete') records.delete(id);
  else records.set(id, { ...records.get(id), ...fields, Id: id });
  if (operation === 'upsert') salesforce.byExternalId.set(externalIdOf(key, fields), id);
  ledger.push({ operation, object, id, via });
  return { id, created: known === undefined };
}

function findRecord(
  { records, byExternalId }: Salesforce,
  operation: Write['operation'],
  key: string | undefined,
  fields: Fields,
): string | undefined {
  if (operation === 'insert') return undefined;
  if (operation === 'upsert') return byExternalId.get(externalIdOf(key, fields));
  const id = String(fields['Id']);
  return records.has(id) ? id : undefined;
}

const externalIdOf = (key: string | undefined, fields: Fields): string => `${key}=${fields[key ?? '']}`;
