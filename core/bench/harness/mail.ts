/** A mail as a shop sends it; 2.1 kB with its headers. */
export interface Mail {
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const PARAGRAPHS = [
  'Thank you for your order. It left our house today and is on its way to you.',
  'You can follow the parcel at any time. The link below leads to the page of the carrier, where you can also say when you are at home and who may take it in your place.',
  'If something is missing or broken, write to us within fourteen days. You need no form: an answer to this mail with a picture is enough, and we send a new one.',
  'We packed everything in paper. The box can be used again for a return, so please keep it for some days.',
];

/** The mail for one person. With `{{ name }}` in place of a value it is the template of all of them. */
export function mail(name: string, order: string): Mail {
  const link = `https://example.org/orders/${order}`;
  const items = PARAGRAPHS.map((paragraph) => `<p style="margin: 0 0 16px; color: #333">${paragraph}</p>`);
  return {
    from: 'shop@example.com',
    subject: `Your order ${order} is on its way`,
    text: [`Dear ${name},`, ...PARAGRAPHS, link, 'Your shop'].join('\n\n'),
    html:
      `<!doctype html><html><body style="font-family: sans-serif"><h1>Dear ${name},</h1>${items.join('\n')}` +
      `<p><a href="${link}">${link}</a></p><p>Your shop</p></body></html>`,
  };
}
