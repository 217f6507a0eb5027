import { type Receipts, receiptsOf } from '../../engine/decisions/delivery.ts';
import {
  type CallbackAnswer,
  type CallbackContext,
  type CallbackRequest,
  type Receipt,
  refusedCallback,
} from '../../plugin/index.ts';
import { refuseIf, violated } from '../conformance-error.ts';
import { fakeOpenContext } from '../fake-context.ts';
import type { ConformanceCase } from '../options.ts';
import type { Rig } from '../rig.ts';
import { within } from '../within.ts';
import { conformanceCase } from './needs.ts';

const PATH = 'https://batchsender.example/v1/callbacks/test/test/test-connection';

/** A job's id as the engine makes them. */
const JOB = '019aa8c6-5c1f-7d2e-9f0a-3b1c2d4e5f60.7';

/** Requests that anybody could send: none of them has a signature. */
const UNSIGNED: readonly (readonly [name: string, request: Partial<CallbackRequest>])[] = [
  ['an empty POST', {}],
  ['a GET', { method: 'GET' }],
  ['a GET with a query', { method: 'GET', url: new URL(`${PATH}?job=1.0&status=delivered`) }],
  ['a JSON object', { headers: { 'content-type': 'application/json' }, body: bytes('{}') }],
  ['a JSON null', { headers: { 'content-type': 'application/json' }, body: bytes('null') }],
  ['half a JSON', { headers: { 'content-type': 'application/json' }, body: bytes('{"event') }],
  ['a form', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: bytes('a=b&a=c') }],
  ['bytes that are no text', { body: new Uint8Array([0xff, 0xfe, 0x00, 0xc3]) }],
];

/** Cases about what providers report later. Only for providers that take callbacks. */
export function callbackCases(rig: Rig): ConformanceCase[] {
  if (rig.provider.callbacks === undefined) return [];
  const { callback } = rig.options;
  return [
    conformanceCase('a callback without a signature is refused', undefined, async () => {
      for (const [name, request] of UNSIGNED) await mustRefuse(rig, name, requestOf(request));
    }),
    conformanceCase('a genuine callback tells of its job', lacks(callback?.signed, 'signed'), async () => {
      await mustTell(rig, (await callback?.signed?.(JOB)) as CallbackRequest);
    }),
    conformanceCase('a forged callback is refused', lacks(callback?.forged, 'forged'), async () => {
      await mustRefuse(rig, 'callback.forged', (await callback?.forged?.(JOB)) as CallbackRequest);
    }),
  ];
}

const lacks = (hook: unknown, name: string): string | undefined =>
  hook === undefined ? `give the suite callback.${name}` : undefined;

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const requestOf = (request: Partial<CallbackRequest>): CallbackRequest => ({
  method: 'POST',
  url: new URL(PATH),
  headers: {},
  body: new Uint8Array(),
  ...request,
});

async function handle(
  rig: Rig,
  request: CallbackRequest,
  fetch?: CallbackContext<never>['fetch'],
): Promise<CallbackAnswer> {
  const { logger, connectionId, network, ...context } = fakeOpenContext(rig.options.context);
  const { credentials } = rig;
  const own = { credentials, logger, connectionId, network, fetch: fetch ?? context.fetch };
  const answer = await within(
    rig.timeoutMs,
    rig.provider.callbacks?.handle(request, own),
    `callbacks.handle did not end within ${rig.timeoutMs} ms: vendors wait some seconds only, so do no slow work in it`,
  );
  return answer ?? violated('callbacks.handle answered nothing: answer { events }');
}

async function mustRefuse(rig: Rig, name: string, request: CallbackRequest): Promise<void> {
  let calls = 0;
  const countingFetch: CallbackContext<never>['fetch'] = () => {
    calls += 1;
    return Promise.reject(new TypeError('A callback that is not verified must make no call'));
  };
  const outcome = await handle(rig, request, countingFetch).then(
    () => 'taken' as const,
    (error: unknown) => refusedCallback(error) ?? (error as Error),
  );
  if (calls > 0)
    violated(
      `${name}: callbacks.handle made a call before it had verified the request: check the signature first`,
    );
  if (outcome === 'taken')
    violated(`${name}: callbacks.handle took a request that is not genuine: throw callbackRefused(401, …)`);
  if (outcome instanceof Error)
    violated(
      `${name}: callbacks.handle threw ${outcome.name}: refuse what has no right signature with callbackRefused(401, …)`,
    );
  if (outcome.status !== 401)
    violated(
      `${name}: callbacks.handle refused with ${outcome.status}: check the signature before the body, and refuse with 401`,
    );
  if (!/^[a-z][a-z0-9_]*$/.test(outcome.code))
    violated(
      `${name}: the code '${outcome.code}' of the refusal must be snake_case, such as invalid_signature`,
    );
}

async function mustTell(rig: Rig, request: CallbackRequest): Promise<void> {
  const answers = [await handle(rig, request), await handle(rig, request)];
  const kinds = receiptsOf(rig.module.receipts);
  for (const { events } of answers) {
    if (!Array.isArray(events) || events.length === 0)
      violated('callback.signed: callbacks.handle answered no events: list a receipt for the job');
    for (const event of events) refuseIf(eventProblem(event, kinds));
  }
  const ids = answers.map(({ events }) => events.map(({ eventId }) => eventId).join());
  if (ids[0] !== ids[1])
    violated('callback.signed: the same request has another eventId each time: derive it from the request');
}

function eventProblem({ jobId, kind, eventId }: Receipt, kinds: Receipts): string | undefined {
  if (jobId !== JOB)
    return 'callback.signed: an event names another job: take our own job id, which the vendor carries back';
  if (!kinds.has(kind))
    return `callback.signed: the kind '${kind}' is not declared: add it to receipts of the module`;
  if (typeof eventId !== 'string' || eventId === '')
    return "callback.signed: an event has no eventId: take the vendor's id, so that a replay is recorded once";
  return undefined;
}
