import type { SMTPServerOptions } from 'smtp-server';
import { expect, test } from 'vitest';
import { mailServer } from '../../../plugins/email/test/helpers/mail-server.ts';
import { dataFolder, runCli } from '../../../server/test/helpers/cli.ts';
import { desk, rowsOf } from './helpers/desk.ts';

const KEY = 'bs_newsletter_by_smtp';

/** As a server that knows nobody called bounce. */
const refuseBounce: SMTPServerOptions['onRcptTo'] = ({ address }, _session, callback) => {
  if (!address.startsWith('bounce@')) return callback();
  callback(Object.assign(new Error('5.1.1 No such user here'), { responseCode: 550 }));
};

test('everybody gets one mail of their own by SMTP, and who could not comes back as CSV', {
  timeout: 180_000,
}, async () => {
  const smtp = await mailServer({ onRcptTo: refuseBounce });
  const data = dataFolder();
  const cli = runCli({
    env: {
      BATCHSENDER_DATA: data.path,
      BATCHSENDER_API_KEY: KEY,
      BATCHSENDER_EMAIL_SMTP_HOST: '127.0.0.1',
      BATCHSENDER_EMAIL_SMTP_PORT: String(smtp.port),
      BATCHSENDER_ALLOW_NETWORKS: '127.0.0.1/32',
    },
  });
  const home = desk(await cli.ready(), KEY);
  const receivers = () => smtp.received.map(({ to }) => to.join()).sort();
  try {
    const { code, stdout, stderr } = await home.run('sh newsletter.sh');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('by smtp: accepted 7, rejected 1, duplicates 1');
    expect(stdout).toContain('succeeded 6, failed 1, unknown 0, cancelled 0');
    const everybody = ['ada', 'bjoern', 'full', 'grace', 'jose', 'noor'].map((name) => `${name}@example.com`);
    expect(receivers()).toEqual(everybody);

    const mailTo = (name: string) => smtp.received.find(({ to }) => to.includes(`${name}@example.com`))?.mail;
    expect(mailTo('bjoern')).toMatchObject({
      from: { address: 'news@example.com', name: 'Café Example' },
      subject: 'Björn, what is new in November',
      text: 'Dear Björn,\n\nour people in Malmö have news for you.\n\nYour Café Example\n',
    });
    const header = (key: string) => mailTo('bjoern')?.headers.find((one) => one.key === key)?.value;
    expect(header('list-unsubscribe')).toBe('<https://example.com/unsubscribe?subscriber=00418>');
    expect(header('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click');
    expect(mailTo('jose')?.text).toContain('Dear José "Pepe" García,\n\nour people in Vigo; Galicia have');
    expect(mailTo('jose')?.html).toContain('Dear José &#34;Pepe&#34; García,');
    expect(mailTo('grace')?.subject).toBe('friend, what is new in November');
    expect(mailTo('noor')?.text).toContain('our people in your city');

    const failed = home.read('failed.csv');
    expect(failed.startsWith('\uFEFFemail,first name,city,id,bs_id,')).toBe(true);
    expect(rowsOf(failed)).toMatchObject([
      {
        email: 'bounce@example.com',
        'first name': 'Zoë',
        city: 'Zürich',
        id: '00421',
        bs_code: 'mailbox_unknown',
      },
    ]);

    await home.run("sed 's/bounce@/zoe@/' failed.csv > mended.csv; sh newsletter.sh mended.csv still.csv");
    expect(receivers()).toEqual([...everybody, 'zoe@example.com'].sort());
    expect(mailTo('zoe')).toMatchObject({ subject: 'Zoë, what is new in November' });
    expect(mailTo('zoe')?.text).toContain('our people in Zürich');
  } finally {
    home.remove();
    await cli.end();
    await smtp.close();
    data.remove();
  }
});
