/** Payloads whose texts occur nowhere else, for the conformance suite. */
export const SAMPLES = [
  {
    to: 'ada.lovelace@example.com',
    from: { address: 'news@sender.example', name: 'Newsletter of April' },
    subject: 'Dear Ada, good news',
    html: '<p>Dear Ada</p>',
    headers: { 'X-Customer': 'customer-4711' },
    listUnsubscribe: { url: 'https://sender.example/unsubscribe/ada-91f2c7' },
    tags: ['spring-campaign'],
  },
  {
    to: [{ address: 'grace.hopper@example.com', name: 'Grace Hopper' }, 'hidden.figures@example.com'],
    from: 'orders@sender.example',
    replyTo: 'service@sender.example',
    subject: 'Order 4712',
    text: 'Dear Grace',
    attachments: [{ filename: 'order-4712.txt', content: 'T3JkZXIgNDcxMg==' }],
  },
];
