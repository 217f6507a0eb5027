import {
  type HttpVendor,
  httpVendor,
  type Mood,
  type VendorAnswer,
  type VendorRequest,
} from './http-vendor.ts';

// Pipedrive's wire format: https://developers.pipedrive.com/docs/api/v1 (API v2), statuses:
// https://pipedrive.readme.io/docs/core-api-concepts-http-status-codes

type Fields = Record<string, unknown>;

export interface PipedriveWrite {
  readonly method: string;
  readonly object: string;
  readonly id: number;
}

export interface Pipedrive extends HttpVendor {
  readonly records: Map<number, Fields>;
  /** Every record that was written, in order: what the outcomes are compared with. */
  readonly ledger: PipedriveWrite[];
  token: string;
  /** Records that are refused. */
  refused: (fields: Fields) => boolean;
  /** Headers of a 429. */
  limit: Record<string, string>;
}

/** A company of Pipedrive with a ledger. */
export async function pipedriveVendor(token = 'canary0token0of0pipedrive0a81f'): Promise<Pipedrive> {
  const vendor = await httpVendor((request, mood) => answer(pipedrive, request, mood));
  const pipedrive: Pipedrive = Object.assign(vendor, {
    records: new Map<number, Fields>(),
    ledger: [],
    token,
    refused: () => false,
    limit: { 'x-ratelimit-limit': '20', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '2' },
  });
  return pipedrive;
}

const error = (status: number, text: string, more: object = {}): VendorAnswer => ({
  status,
  body: { success: false, error: text, error_info: 'Please check developers.pipedrive.com', ...more },
});

const data = (status: number, value: unknown): VendorAnswer => ({
  status,
  body: { success: true, data: value },
});

function answer(pipedrive: Pipedrive, request: VendorRequest, mood: Mood): VendorAnswer {
  if (mood === 'throttle') return { ...error(429, 'request over limit'), headers: pipedrive.limit };
  if (mood === 'broken') return { status: 502, body: '<html>Bad gateway</html>' };
  if (mood === 'auth' || request.headers['x-api-token'] !== pipedrive.token) {
    return error(401, `unauthorized access: ${request.headers['x-api-token']}`);
  }
  const { pathname, searchParams } = request.url;
  if (pathname === '/api/v2/itemSearch/field') return search(pipedrive, searchParams);
  const [, object = '', id] = /^\/api\/v2\/(persons|organizations|deals)(?:\/(\d+))?$/.exec(pathname) ?? [];
  if (object === '') return error(404, 'Not found');
  if (request.method === 'GET') return data(200, []);
  return write(pipedrive, { request, object, id: id === undefined ? undefined : Number(id) }, mood);
}

function search({ records }: Pipedrive, query: URLSearchParams): VendorAnswer {
  const field = query.get('field') ?? '';
  const found = [...records.values()].filter((record) => {
    const custom = record['custom_fields'] as Fields | undefined;
    return String(custom?.[field] ?? record[field]) === query.get('term');
  });
  return data(
    200,
    found.map(({ id, name }) => ({ id, name })),
  );
}

function write(
  { records, ledger, refused }: Pipedrive,
  { request, object, id }: { request: VendorRequest; object: string; id: number | undefined },
  mood: Mood,
): VendorAnswer {
  const { method } = request;
  if (id !== undefined && !records.has(id)) return error(404, `${object} not found`);
  const fields = (request.json ?? {}) as Fields;
  if (method !== 'DELETE' && (mood === 'refuse' || refused(fields))) {
    return error(400, `Validation failed: name: must not be ${JSON.stringify(fields['name'])}`, {
      code: 'ERR_SCHEMA_VALIDATION_FAILED',
    });
  }
  const own = id ?? 100 + ledger.length;
  if (method === 'DELETE') records.delete(own);
  else records.set(own, { ...records.get(own), ...fields, id: own });
  ledger.push({ method, object, id: own });
  return data(method === 'POST' ? 201 : 200, method === 'DELETE' ? { id: own } : records.get(own));
}
