/** A value of a metric, with its labels. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Metrics in Prometheus' text format, read strictly. */
export interface Exposition {
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
  /** The sum of the samples with these labels; undefined if there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/y;
const PARTS: Record<string, RegExp> = {
  counter: /^$/,
  gauge: /^$/,
  histogram: /^_(bucket|sum|count)$/,
  summary: /^(_(sum|count))?$/,
};

/**
 * Reads the text format 0.0.4. It throws where Prometheus would refuse it, and where it breaks the
 * conventions: a sample without its type and help, metrics that are not in one block, two samples of
 * the same labels, a counter that does not end in `_total`, a histogram whose buckets fall.
 */
export function parseExposition(text: string): Exposition {
  if (!text.endsWith('\n')) throw new Error('the text does not end with a line break');
  const types = new Map<string, string>();
  const helps = new Set<string>();
  const samples: Sample[] = [];
  const seen = new Set<string>();
  let block = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (helps.has(name) || rest === '') throw new Error(`help of ${name}`);
      helps.add(name);
      block = name;
    } else if (keyword === 'TYPE') {
      if (types.has(name) || block !== name || PARTS[rest] === undefined) throw new Error(`type of ${name}`);
      types.set(name, rest);
    } else {
      const sample = parseSample(line);
      checkName(sample.name, block, types.get(block) ?? '');
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(key)) throw new Error(`two samples: ${line}`);
      seen.add(key);
      samples.push(sample);
    }
  }
  checkHistograms(types, samples);
  return { types, samples, value: (name, labels = {}) => sum(samples, name, labels) };
}

function parseSample(line: string): Sample {
  const [, name = '', , inner = '', number = ''] = /^([^{ ]+)(\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (!NAME.test(name)) throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < inner.length) {
    const at = LABEL.lastIndex;
    const [, label = '', value = ''] = LABEL.exec(inner) ?? [];
    if (label === '' || label in labels) throw new Error(`labels from ${at}: ${line}`);
    labels[label] = value.replaceAll(/\\(.)/g, (_all, mark) => (mark === 'n' ? '\n' : mark));
    if (inner[LABEL.lastIndex] === ',') LABEL.lastIndex += 1;
    else if (LABEL.lastIndex !== inner.length) throw new Error(`labels: ${line}`);
  }
  return { name, labels, value: parseValue(number, line) };
}

function parseValue(text: string, line: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) throw new Error(`value: ${line}`);
  return Number(text);
}

function checkName(name: string, block: string, type: string): void {
  const part = name.startsWith(block) ? name.slice(block.length) : '?';
  if (PARTS[type]?.test(part) !== true) throw new Error(`${name} does not belong to ${type} ${block}`);
  if (type === 'counter' && !name.endsWith('_total')) throw new Error(`${name} is a counter`);
}

function checkHistograms(types: ReadonlyMap<string, string>, samples: readonly Sample[]): void {
  const last = new Map<string, Sample>();
  for (const sample of samples) {
    const base = sample.name.replace(/_(bucket|count)$/, '');
    if (types.get(base) !== 'histogram' || sample.name.endsWith('_sum')) continue;
    const { le, ...labels } = sample.labels;
    const key = `${base} ${JSON.stringify(Object.entries(labels).sort())}`;
    const before = last.get(key);
    if (sample.name.endsWith('_count')) {
      const isWhole = before?.labels['le'] === '+Inf' && before.value === sample.value;
      if (!isWhole) throw new Error(`count of ${key} is not its last bucket`);
    } else if (before !== undefined && before.value > sample.value) throw new Error(`${key} falls at ${le}`);
    last.set(key, sample);
  }
}

function sum(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>>) {
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found.length === 0 ? undefined : found.reduce((total, { value }) => total + value, 0);
}
