// Packs every publishable workspace as `npm publish` would, and checks what a stranger would get:
// the tarball's files, its manifest (publint), its types (attw), and that each entry loads.
import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

/** What a package may ship; everything else is a leak. */
const SHIPPED = [/^package\.json$/, /^README\.md$/, /^LICENSE$/, /^dist\//];
const LEAKED = [
  /(^|\/)(src|test|tests|bench|__tests__)\//,
  /\.test\.[^/]*$/,
  /\.tsbuildinfo$/,
  /(?<!\.d)\.[cm]?tsx?$/,
];

/** Folders of the workspaces that are not private. */
function publishableFolders() {
  const { workspaces } = readManifest(root);
  return workspaces
    .flatMap((pattern) => globSync(`${pattern}/package.json`, { cwd: root }))
    .map((file) => join(root, file, '..'))
    .filter((folder) => readManifest(folder).private !== true)
    .sort();
}

function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

async function pack(folder, destination) {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', destination], { cwd: folder });
  // A `prepack` script may print before npm's JSON; npm 11 answers a list, newer ones an object by name.
  const answer = JSON.parse(stdout.slice(stdout.search(/^[[{]/m)));
  const [packed] = Array.isArray(answer) ? answer : Object.values(answer);
  return {
    tarball: join(destination, packed.filename),
    files: packed.files.map((file) => file.path),
    size: packed.size,
  };
}

/** Problems with the list of files: leaks, missing ones, and output of sources that are gone. */
function fileProblems(folder, files) {
  const problems = ['LICENSE', 'README.md', 'package.json']
    .filter((name) => !files.includes(name))
    .map(
      (name) => `${name} is missing${name === 'LICENSE' ? ': add the prepack script copy-license.mjs' : ''}`,
    );
  for (const file of files) {
    const leaked = LEAKED.some((pattern) => pattern.test(file));
    if (leaked || !SHIPPED.some((pattern) => pattern.test(file)))
      problems.push(`${file} must not be shipped`);
  }
  const stale = files.filter((file) => isStale(folder, file));
  if (stale.length > 0) {
    problems.push(
      `${stale.join(', ')}: no source any more. Remove the folder dist and run \`npm run build\``,
    );
  }
  return problems;
}

/** `tsc -b` leaves the output of a deleted source behind. */
function isStale(folder, file) {
  const match = /^dist\/(.*)\.js$/.exec(file);
  return (
    match !== null &&
    !existsSync(join(folder, `src/${match[1]}.ts`)) &&
    existsSync(join(folder, 'tsconfig.json'))
  );
}

async function manifestProblems(tarball) {
  const data = readFileSync(tarball);
  const { messages, pkg } = await publint({
    pack: { tarball: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) },
    strict: true,
  });
  return messages
    .filter((message) => message.type !== 'suggestion')
    .map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

async function typeProblems(tarball) {
  const cli = fileURLToPath(
    new URL('dist/index.js', import.meta.resolve('@arethetypeswrong/cli/package.json')),
  );
  const options = [
    '--profile',
    'esm-only',
    '--format',
    'ascii',
    '--no-emoji',
    '--no-color',
    '--no-definitely-typed',
  ];
  try {
    await run(process.execPath, [cli, tarball, ...options]);
    return [];
  } catch (error) {
    // Of its report: what it found, and which entry fails under which resolution.
    const lines = `${error.stdout}\n${error.stderr}`.split('\n');
    const telling = lines.filter((line) => /problems\/|^"|: .*(failed|masquerading)/i.test(line));
    return [`attw: ${telling.filter((line) => !line.includes('(ignored')).join('\n    ')}`];
  }
}

/** Loads each entry from `dist` in a process of its own, as plain JavaScript. */
async function loadProblems(manifest) {
  const entries = Object.keys(manifest.exports ?? {}).filter((entry) => !entry.endsWith('.json'));
  const names = entries.map((entry) => manifest.name + entry.slice(1));
  const script = names.map((name) => `await import(${JSON.stringify(name)});`).join('\n');
  try {
    await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: root, timeout: 20_000 });
    return [];
  } catch (error) {
    const reason = /^\w*Error.*$/m.exec(error.stderr ?? '')?.[0] ?? error.message;
    return [`an entry (${names.join(', ')}) does not load: ${reason}`];
  }
}

async function checkPackage(folder, destination) {
  const manifest = readManifest(folder);
  const { tarball, files, size } = await pack(folder, destination);
  const found = await Promise.all([
    fileProblems(folder, files),
    manifestProblems(tarball),
    typeProblems(tarball),
    loadProblems(manifest),
  ]);
  return { name: manifest.name, files: files.length, size, problems: found.flat() };
}

/** Prints a package's report; true if nothing is wrong with it. */
function print({ name, files, size, problems }) {
  const verdict = problems.length === 0 ? 'ok' : 'NOT OK';
  console.log(`${verdict} ${name}: ${files} files, ${(size / 1024).toFixed(1)} KiB packed`);
  for (const problem of problems) console.log(`  - ${problem}`);
  return problems.length === 0;
}

async function main() {
  const destination = mkdtempSync(join(tmpdir(), 'batchsender-pack-'));
  try {
    const reports = await Promise.all(
      publishableFolders().map((folder) => checkPackage(folder, destination)),
    );
    if (reports.length === 0) throw new Error('No publishable package was found in the workspaces.');
    if (!reports.map(print).every(Boolean)) process.exitCode = 1;
  } finally {
    rmSync(destination, { recursive: true, force: true });
  }
}

await main();
