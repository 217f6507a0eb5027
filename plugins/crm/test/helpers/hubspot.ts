import {
  type HttpVendor,
  httpVendor,
  type Mood,
  type VendorAnswer,
  type VendorRequest,
} from './http-vendor.ts';
import { type Authorized, isGranted } from './oauth-grant.ts';

// HubSpot's wire format: https://developers.hubspot.com/docs/api-reference/crm-objects-v3/guide (batches), and
// https://developers.hubspot.com/docs/api-reference/error-handling (multi-status errors, statuses).

interface Input {
  readonly id?: string;
  readonly idProperty?: string;
  readonly objectWriteTraceId?: string;
  readonly properties?: Record<string, string>;
}

export interface HubspotRecord {
  readonly id: string;
  properties: Record<string, string>;
}

/** One record that was written, in order. */
export interface HubspotWrite {
  readonly operation: string;
  readonly object: string;
  readonly id: string;
  readonly traceId: string | undefined;
}

export interface Hubspot extends HttpVendor {
  readonly records: Map<string, HubspotRecord>;
  /** Ids by property and value, of those that were written. */
  readonly byProperty: Map<string, string>;
  /** Every record that was written, in order: what the outcomes are compared with. */
  readonly ledger: HubspotWrite[];
  token: string;
  readonly authorized: Authorized;
  /** Properties that the account has. Default: all that anybody names. */
  properties: ReadonlySet<string> | undefined;
  /** Records that are refused. */
  refused: (properties: Record<string, string>) => boolean;
  /** Leaves the trace ids out of the results, as the older versions of the API do. */
  traceless: boolean;
  /** Fields of the body of a 429. */
  limit: Record<string, unknown>;
  /** Changes the body of a 2xx answer. */
  mangle: (body: Record<string, unknown>) => unknown;
}

/** HubSpot's batch API for all objects, with a ledger. */
export async function hubspotVendor(token = 'pat-eu1-canary-token-5c1e'): Promise<Hubspot> {
  const vendor = await httpVendor((request, mood) => answer(hubspot, request, mood));
  const hubspot: Hubspot = Object.assign(vendor, {
    records: new Map(),
    byProperty: new Map(),
    ledger: [],
    token,
    authorized: { challenge: '' },
    properties: undefined,
    refused: () => false,
    traceless: false,
    limit: { policyName: 'TEN_SECONDLY_ROLLING' },
    mangle: (body: Record<string, unknown>): unknown => body,
  });
  return hubspot;
}

const error = (status: number, category: string, message: string, more: object = {}): VendorAnswer => ({
  status,
  body: {
    status: 'error',
    message,
    correlationId: 'c033cdaa-2c40-4a64-ae48-b4cec88dad24',
    category,
    ...more,
  },
});

function answer(hubspot: Hubspot, request: VendorRequest, mood: Mood): VendorAnswer {
  if (request.url.pathname === '/oauth/v1/token') {
    const granted = isGranted(new URLSearchParams(request.text), hubspot.authorized);
    if (!granted)
      return { status: 400, body: { status: 'BAD_AUTH_CODE', message: 'missing or unknown auth code' } };
    return {
      status: 200,
      body: { access_token: hubspot.token, refresh_token: 'refresh-1', expires_in: 1_800 },
    };
  }
  if (mood === 'throttle') {
    const limited = error(429, 'RATE_LIMITS', 'You have reached your limit.', hubspot.limit);
    return { ...limited, headers: { 'retry-after': '3' } };
  }
  if (mood === 'broken') return { status: 502, body: '<html>Bad gateway</html>' };
  if (mood === 'auth' || request.headers.authorization !== `Bearer ${hubspot.token}`) {
    const message = `Authentication credentials not found: ${request.headers.authorization}`;
    return error(401, mood === 'auth' ? 'EXPIRED_AUTHENTICATION' : 'INVALID_AUTHENTICATION', message);
  }
  if (request.url.pathname === '/account-info/v3/details') return { status: 200, body: { portalId: 1 } };
  const [, object = '', operation = ''] =
    /^\/crm\/v3\/objects\/([^/]+)\/batch\/(create|update|upsert|archive)$/.exec(request.url.pathname) ?? [];
  if (operation === '') return error(404, 'NOT_FOUND', 'No such resource');
  const { inputs = [] } = request.json as { inputs?: Input[] };
  if (object === 'nothing')
    return error(400, 'VALIDATION_ERROR', 'Unable to infer object type from: nothing');
  if (inputs.length > 100) return error(400, 'VALIDATION_ERROR', 'Batch size is over 100');
  return work(hubspot, { object, operation, inputs, refuseAll: mood === 'refuse' });
}

interface Work {
  readonly object: string;
  readonly operation: string;
  readonly inputs: readonly Input[];
  readonly refuseAll: boolean;
}

function work(hubspot: Hubspot, { object, operation, inputs, refuseAll }: Work): VendorAnswer {
  const results: object[] = [];
  const errors: Record<string, unknown>[] = [];
  const todo: Input[] = [];
  for (const input of inputs) {
    const problem = refuseAll ? invalid('email', input) : problemOf(hubspot, operation, input);
    if (problem === undefined) todo.push(input);
    else errors.push(problem);
  }
  // Only creates with trace ids are answered record by record; the others are refused as a whole.
  const multi =
    operation === 'create' && inputs.every(({ objectWriteTraceId }) => objectWriteTraceId !== undefined);
  const [first] = errors;
  if (first !== undefined && !multi) {
    const { context: _context, ...rest } = first;
    return { status: rest['category'] === 'OBJECT_NOT_FOUND' ? 404 : 400, body: rest };
  }
  for (const input of todo) results.push(apply(hubspot, object, operation, input));
  if (operation === 'archive') return { status: 204 };
  const body = {
    status: 'COMPLETE',
    results,
    startedAt: '2026-11-29T10:00:00.000Z',
    completedAt: '2026-11-29T10:00:00.100Z',
    ...(errors.length === 0 ? {} : { numErrors: errors.length, errors }),
  };
  const status = operation === 'create' ? 201 : 200;
  return { status: errors.length === 0 ? status : 207, body: hubspot.mangle(body) };
}

function problemOf(hubspot: Hubspot, operation: string, input: Input): Record<string, unknown> | undefined {
  if (operation === 'archive') return undefined;
  const { properties = {} } = input;
  const strange = Object.keys(properties).find((name) => hubspot.properties?.has(name) === false);
  if (strange !== undefined) {
    return refusal(input, [
      {
        isValid: false,
        message: `Property "${strange}" does not exist`,
        error: 'PROPERTY_DOESNT_EXIST',
        name: strange,
      },
    ]);
  }
  if (hubspot.refused(properties)) return invalid('email', input);
  if (operation === 'update' && find(hubspot, input) === undefined) {
    return {
      status: 'error',
      category: 'OBJECT_NOT_FOUND',
      message: 'Object not found',
      context: { ids: [input.id] },
    };
  }
  return undefined;
}

const invalid = (name: string, input: Input) =>
  refusal(input, [
    {
      isValid: false,
      message: `Email address ${Object.values(input.properties ?? {}).join(' ')} is invalid`,
      error: 'INVALID_EMAIL',
      name,
    },
  ]);

const refusal = ({ objectWriteTraceId }: Input, problems: object[]) => ({
  status: 'error',
  category: 'VALIDATION_ERROR',
  message: `Property values were not valid: ${JSON.stringify(problems)}`,
  context: { objectWriteTraceId: [objectWriteTraceId] },
});

function find({ records, byProperty }: Hubspot, { id = '', idProperty }: Input): HubspotRecord | undefined {
  return records.get(idProperty === undefined ? id : (byProperty.get(keyOf(idProperty, id)) ?? ''));
}

const keyOf = (property: string, value: string) => `${property}=${value.toLowerCase()}`;

function apply(hubspot: Hubspot, object: string, operation: string, input: Input): object {
  const known = operation === 'create' ? undefined : find(hubspot, input);
  const id =
    known?.id ?? (operation === 'archive' ? (input.id ?? '') : String(1_000 + hubspot.ledger.length));
  const properties = { ...known?.properties, ...input.properties };
  // HubSpot keeps addresses in lower case.
  if (properties['email'] !== undefined) properties['email'] = properties['email'].toLowerCase();
  if (operation === 'archive') hubspot.records.delete(id);
  else hubspot.records.set(id, { id, properties });
  for (const [name, value] of Object.entries(properties)) hubspot.byProperty.set(keyOf(name, value), id);
  hubspot.ledger.push({ operation, object, id, traceId: input.objectWriteTraceId });
  return {
    id,
    properties,
    createdAt: '2026-11-29T10:00:00.000Z',
    updatedAt: '2026-11-29T10:00:00.000Z',
    archived: false,
    ...(operation === 'upsert' ? { new: known === undefined } : {}),
    ...(hubspot.traceless ? {} : { objectWriteTraceId: input.objectWriteTraceId }),
  };
}
