import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../server/test/helpers/app.ts';
import { type Cli, dataFolder, runCli } from '../../../server/test/helpers/cli.ts';
import { commandsOf, type Desk, desk, rowsOf } from './helpers/desk.ts';

const KEY = 'bs_newsletter_in_the_sandbox';
const data = dataFolder();
let cli: Cli;
let url: string;
const desks: Desk[] = [];

const newDesk = (): Desk => {
  const made = desk(url, KEY);
  desks.push(made);
  return made;
};
const outbox = join(data.path, 'sandbox', 'email');
const mails = () => (existsSync(outbox) ? readdirSync(outbox).length : 0);

beforeAll(async () => {
  cli = runCli({ env: { BATCHSENDER_DATA: data.path, BATCHSENDER_API_KEY: KEY } });
  url = await cli.ready();
});
afterAll(async () => {
  await cli.end();
  for (const made of desks) made.remove();
  data.remove();
});

describe('a server without settings for SMTP', { timeout: 180_000 }, () => {
  test('keeps the mails of the README in its sandbox, and takes the mended failures back', async () => {
    const home = newDesk();
    const before = mails();
    const [, send = ''] = commandsOf('README.md', 'Run it');
    const first = await home.run(send.replace(/^(cd|export) .*\n/gm, ''));
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(
      /by sandbox: accepted 7, rejected 1, duplicates 1\n {2}\{"line":7,"path":"\/to"/,
    );
    expect(first.stdout).toContain('succeeded 5, failed 2, unknown 0, cancelled 0\nfailed.csv holds');
    expect(rowsOf(home.read('failed.csv'))).toMatchObject([
      {
        email: 'bounce@example.com',
        'first name': 'Zoë',
        city: 'Zürich',
        id: '00421',
        bs_code: 'mailbox_unknown',
      },
      { email: 'full@example.com', city: '"Saint-Étienne ""Centre"""', id: '00423', bs_code: 'mailbox_full' },
    ]);
    expect(mails()).toBe(before + 5);

    const [mend = '', repair = ''] = commandsOf('README.md', 'Mend the failures, and send again');
    const second = await home.run(mend);
    expect(second.stdout).toContain('accepted 2, rejected 0, duplicates 0');
    expect(second.stdout).toContain('succeeded 2, failed 0');
    const third = await home.run(repair);
    expect(third.stdout).toContain('accepted 1, rejected 0, duplicates 0');
    expect(third.stdout).toContain('succeeded 1, failed 0');
    expect(mails()).toBe(before + 8);
    expect(home.files()).not.toContain('still-failed.csv');
  });

  test('sends nothing for a run that is repeated, and a change of the name sends again', async () => {
    const home = newDesk();
    home.write('two.csv', 'email,first name,city,id\na@example.com,A,X,1\nbounce@example.com,B,Y,2\n');
    const before = mails();
    const first = await home.run('sh newsletter.sh two.csv');
    expect(mails()).toBe(before + 1);
    const second = await home.run('rm failed.csv; sh newsletter.sh two.csv');
    expect(second.stdout).toContain('was sent with this text before');
    expect(second.stdout.split('\n')[0]).toBe(first.stdout.split('\n')[0]);
    expect(rowsOf(home.read('failed.csv'))).toMatchObject([{ email: 'bounce@example.com' }]);
    expect(mails()).toBe(before + 1);
    home.write('newsletter.json', home.read('newsletter.json').replace('November', 'December'));
    const third = await home.run('sh newsletter.sh two.csv failed-in-december.csv');
    expect(third.stdout).not.toContain('before');
    expect(mails()).toBe(before + 2);
  });

  test('tells of a server that waits, and of fates that nobody knows, which are not sent again', async () => {
    const home = newDesk();
    const columns = 'email,first name,city,id';
    home.write('odd.csv', `${columns}\nblock@example.com,A,X,1\nunknown@example.com,B,Y,2\n`);
    const running = home.run('sh newsletter.sh odd.csv > shown.txt');
    await eventually(
      async () => home.files().includes('shown.txt') && home.read('shown.txt').includes('blocked:'),
    );
    const headers = { authorization: `Bearer ${KEY}` };
    await fetch(`${url}/v1/connections/email.sandbox/unblock`, { method: 'POST', headers });
    expect(await running).toMatchObject({ code: 0, stderr: '' });
    const stdout = home.read('shown.txt');
    expect(stdout).toContain('blocked: {"code":"auth_failed"');
    expect(stdout).toContain('succeeded 1, failed 0, unknown 1');
    expect(stdout).toMatch(/Look at the unknown ones: http.*\/jobs\?state=unknown/);
    expect(home.files()).not.toContain('failed.csv');
  });
});

describe('the first page of the repository', { timeout: 180_000 }, () => {
  test('takes a new user from a CSV to its failures and back, by its own commands', async () => {
    const home = newDesk();
    const blocks = commandsOf('../../README.md', "A spreadsheet's CSV, with curl");
    expect(blocks).toHaveLength(6);
    const [list = '', batch = '', send = '', watch = '', failures = '', mend = ''] = blocks;
    let id = '';
    const type = async (commands: string) => {
      // What a person fills in; and the server of a test has a free port.
      const filled = commands.replaceAll('http://127.0.0.1:3000', url).replace('ID=01a2…', `ID=${id}`);
      const { code, stdout, stderr } = await home.run(filled, { KEY, ID: id });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return stdout;
    };
    const untilCompleted = () =>
      eventually(async () => {
        const answer = JSON.parse(await type(watch));
        return answer.state === 'completed' && answer;
      });

    await type(list);
    await type(batch);
    const sent = JSON.parse(await type(send));
    expect(sent.upload).toMatchObject({ accepted: 2, rejected: 1, duplicates: 1, errors: [{ line: 4 }] });
    id = sent.id;
    expect(await untilCompleted()).toMatchObject({ counts: { succeeded: 1, failed: 1 } });
    await type(failures);
    expect(rowsOf(home.read('failed.csv'))).toMatchObject([
      { email: 'bounce@example.com', name: 'Björn', city: 'Malmö; Skåne', bs_code: 'mailbox_unknown' },
    ]);
    const again = JSON.parse(await type(mend));
    expect(again.upload).toEqual({ accepted: 1, rejected: 0, duplicates: 0, errors: [] });
    id = again.id;
    expect(await untilCompleted()).toMatchObject({ counts: { succeeded: 1, failed: 0 } });
  });
});

describe('the script stops before anything is sent', { timeout: 180_000 }, () => {
  test.each<[string, string, Record<string, string>, RegExp]>([
    ['without a key', 'sh newsletter.sh', { API_KEY: '' }, /API_KEY: Set it to the API key/],
    ['with a wrong key', 'sh newsletter.sh', { API_KEY: 'bs_wrong' }, /"code":"unauthorized"/],
    ['if no server answers', 'sh newsletter.sh', { SERVER: 'http://127.0.0.1:1' }, /Run this again/],
    ['without the list', 'sh newsletter.sh nobody.csv', {}, /There is no file nobody\.csv/],
    ['if it would write over a file', 'sh newsletter.sh people.csv people.csv', {}, /people\.csv exists/],
    [
      'if a column is missing',
      String.raw`printf 'mail;name\na@example.com;A\n' > l.csv; sh newsletter.sh l.csv`,
      {},
      /no column \\"email\\"/,
    ],
    ['for an empty list', ': > empty.csv; sh newsletter.sh empty.csv', {}, /"code":"empty_upload"/],
  ])('%s', async (_name, commands, env, message) => {
    const home = newDesk();
    const before = mails();
    const { code, stdout, stderr } = await home.run(commands, env);
    expect(code).not.toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(home.files()).not.toContain('failed.csv');
    expect(mails()).toBe(before);
  });
});

test('the list has what spreadsheets bring: a byte order mark, semicolons, quotes, umlauts', () => {
  const list = newDesk().read('people.csv');
  expect(list.startsWith('\uFEFFemail;first name;city;id\r\n')).toBe(true);
  expect(list).toContain('"José ""Pepe"" García";"Vigo; Galicia"');
});
