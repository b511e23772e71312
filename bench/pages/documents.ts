/** Printed pages: what a page of each kind has in common with the others of its kind is drawn alike, the rest from its seed. */
import { between, MONO, type Random, SANS, SERIF, Sheet, whole, word, words } from './sheet.ts';

export function letter(random: Random, ground = '#ffffff'): Sheet {
  const sheet = new Sheet(800, 1130, ground);
  sheet.text(60, 70, 'ACME Components Ltd.', { size: 22, font: SERIF });
  sheet.text(60, 92, '12 Factory Road, Springfield', { size: 12, font: SERIF }).line(60, 104, 740, 104);
  for (const [i, count] of [3, 3, 2].entries()) sheet.text(60, 150 + 18 * i, words(random, count), { font: SERIF });
  sheet.text(560, 220, `${whole(random, 1, 28)} March 20${whole(random, 10, 24)}`, { font: SERIF });
  sheet.text(60, 260, `Dear ${word(random)},`, { font: SERIF });
  let y = 290;
  for (let paragraphs = whole(random, 3, 5); paragraphs > 0; paragraphs--) {
    y = sheet.paragraph(random, 60, y, 680, whole(random, 3, 6), { font: SERIF }) + 16;
  }
  sheet.text(60, y + 20, 'Yours sincerely,', { font: SERIF }).text(60, y + 70, words(random, 2), { font: SERIF });
  return sheet;
}

export function textPage(random: Random): Sheet {
  const sheet = new Sheet(800, 1130, '#ffffff');
  let y = 80;
  while (y < 1000) y = sheet.paragraph(random, 70, y, 660, whole(random, 4, 9), { size: 13, font: SERIF }) + 14;
  return sheet.text(390, 1090, whole(random, 1, 300), { size: 12, font: SERIF });
}

export function twoColumns(random: Random): Sheet {
  const sheet = new Sheet(800, 1130, '#ffffff');
  sheet.text(120, 70, words(random, 5), { size: 22, font: SERIF }).text(280, 100, words(random, 3), { font: SERIF });
  for (const x of [60, 415]) {
    for (let y = 140; y < 1020; )
      y = sheet.paragraph(random, x, y, 325, whole(random, 4, 11), { size: 11, font: SERIF }) + 9;
  }
  return sheet;
}

export function invoice(random: Random): Sheet {
  const sheet = new Sheet(800, 1130, '#ffffff');
  sheet.text(60, 80, 'INVOICE', { size: 34 }).text(560, 70, `No. ${whole(random, 10000, 99999)}`);
  sheet.text(560, 90, `Date 2024-0${whole(random, 1, 9)}`);
  sheet.text(60, 140, words(random, 3)).text(60, 160, words(random, 3)).rect(60, 210, 680, 26, '#ddd');
  const columns = [66, 130, 470, 560, 660];
  for (const [i, head] of ['Item', 'Description', 'Qty', 'Price', 'Total'].entries()) sheet.text(columns[i], 228, head);
  const rows = whole(random, 3, 14);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const [y, quantity, price] = [258 + row * 28, whole(random, 1, 99), between(random, 0, 500)];
    total += quantity * price;
    const cells = [whole(random, 0, 9000), words(random, whole(random, 2, 5)), quantity, price, quantity * price];
    for (const [i, cell] of cells.entries()) {
      sheet.text(columns[i], y, i > 2 ? Number(cell).toFixed(2) : cell, { size: 12 });
    }
    sheet.line(60, y + 8, 740, y + 8, '#ccc');
  }
  sheet.text(560, 300 + rows * 28, `Total ${total.toFixed(2)}`, { size: 16 });
  return sheet.text(60, 1060, 'Payable within thirty days. Bank 12-34-56 Account 0987654', { size: 12 });
}

export function receipt(random: Random): Sheet {
  const sheet = new Sheet(320, 800, '#fbfbfb');
  sheet.text(60, 50, 'SUPERMARKET', { size: 24, font: MONO }).text(70, 74, 'Main Street 5', { size: 12, font: MONO });
  const rows = whole(random, 12, 25);
  for (let row = 0; row < rows; row++) {
    const y = 110 + row * 22;
    sheet.text(20, y, words(random, 2).slice(0, 18), { size: 13, font: MONO });
    sheet.text(230, y, between(random, 0, 30).toFixed(2), { size: 13, font: MONO });
  }
  const y = 140 + rows * 22;
  sheet.text(20, y, 'TOTAL', { size: 18, font: MONO });
  return sheet.text(220, y, between(random, 0, 200).toFixed(2), { size: 18, font: MONO });
}

/** One form, filled in by different people: only the answers differ. */
export function form(random: Random): Sheet {
  const sheet = new Sheet(800, 1130, '#ffffff');
  sheet.text(60, 80, 'Application for an account', { size: 24 });
  const fields = [
    'Name',
    'Address',
    'City',
    'Country',
    'Telephone',
    'Date of birth',
    'Account',
    'Reference',
    'Comment',
  ];
  for (const [i, field] of fields.entries()) {
    const y = 140 + i * 90;
    sheet.text(60, y, field, { size: 13 }).rect(60, y + 10, 680, 40, '#fff', '#555');
    sheet.text(72, y + 36, words(random, whole(random, 1, 4)), { size: 18, font: SERIF, fill: '#1a237e' });
  }
  for (let box = 0; box < 6; box++) {
    sheet
      .rect(60 + box * 115, 960, 16, 16, '#fff', '#333')
      .text(82 + box * 115, 974, ['A', 'B', 'C', 'D', 'E', 'F'][box]);
    if (random() < 0.5) sheet.line(62 + box * 115, 962, 74 + box * 115, 974, '#1a237e', 3);
  }
  return sheet
    .text(60, 1080, 'Signature')
    .text(180, 1076, words(random, 2), { size: 20, font: SERIF, fill: '#1a237e' });
}

export function table(random: Random): Sheet {
  const sheet = new Sheet(800, 1100, '#ffffff').text(60, 60, words(random, 3), { size: 20 });
  for (let row = 0; row < 30; row++) {
    const y = 90 + row * 32;
    sheet.rect(60, y, 680, 32, row % 2 === 1 ? '#fff' : '#f3f3f3', '#999');
    for (let column = 0; column < 5; column++) {
      const cell = column === 0 ? word(random) : between(random, 0, 1000).toFixed(1);
      sheet.text(68 + column * 136, y + 21, cell, { size: 13 });
    }
  }
  for (let column = 1; column < 5; column++) sheet.line(60 + column * 136, 90, 60 + column * 136, 1050, '#999');
  return sheet;
}

export function calendar(random: Random): Sheet {
  const sheet = new Sheet(840, 610, '#ffffff').rect(0, 0, 840, 60, '#d32f2f');
  sheet.text(350, 40, 'March 2024', { size: 24, fill: '#fff' });
  for (let day = 0; day < 35; day++) {
    const [x, y] = [(day % 7) * 120, 60 + Math.floor(day / 7) * 110];
    sheet.rect(x, y, 120, 110, '#fff', '#bbb').text(x + 6, y + 18, day + 1, { size: 13 });
    const entries = whole(random, 0, 2);
    for (let entry = 0; entry < entries; entry++) {
      sheet.rect(x + 4, y + 28 + entry * 24, 112, 20, ['#bbdefb', '#c8e6c9', '#ffe0b2'][whole(random, 0, 2)]);
      sheet.text(x + 8, y + 42 + entry * 24, word(random), { size: 11 });
    }
  }
  return sheet;
}

export function music(random: Random): Sheet {
  const sheet = new Sheet(800, 1100, '#ffffff').text(320, 60, words(random, 2), { size: 24, font: SERIF });
  for (let staff = 0; staff < 8; staff++) {
    const y = 110 + staff * 115;
    for (let line = 0; line < 5; line++) sheet.line(60, y + line * 10, 740, y + line * 10, '#000');
    for (const x of [60, 230, 400, 570, 740]) sheet.line(x, y, x, y + 40, '#000');
    for (let x = 80; x < 720; x += between(random, 22, 48)) {
      const at = y + whole(random, 0, 8) * 5;
      sheet.oval(x, at, 6, 4.5, '#000').line(x + 6, at, x + 6, at - 30, '#000', 1.5);
    }
  }
  return sheet;
}

/** Contracts with one stamp across: the stamp is what is seen from far away. */
export function watermark(random: Random): Sheet {
  const sheet = new Sheet(800, 1130, '#ffffff');
  for (let i = 0; i < 5; i++) sheet.text(60 + i * 60, 260 + i * 170, 'CONFIDENTIAL', { size: 84, fill: '#d8d8d8' });
  let y = 90;
  while (y < 1000) y = sheet.paragraph(random, 60, y, 680, whole(random, 5, 8), { font: SERIF }) + 16;
  return sheet;
}

/** Badges of one firm: a head of no detail, a name and a number. */
export function badge(random: Random): Sheet {
  const sheet = new Sheet(640, 400, '#f4f6f8').rect(0, 0, 640, 70, '#0d47a1');
  sheet.text(24, 46, 'ACME Components', { size: 28, fill: '#fff' }).rect(30, 110, 170, 220, '#cfd8dc');
  sheet.oval(115, 190, 45, 55, '#90a4ae').oval(115, 320, 75, 60, '#90a4ae').rect(30, 330, 170, 70, '#f4f6f8');
  sheet.text(240, 150, words(random, 2), { size: 26 }).text(240, 190, words(random, 2), { size: 18, fill: '#555' });
  sheet.text(240, 260, `No. ${whole(random, 100000, 999999)}`, { size: 20, font: MONO });
  return sheet.text(240, 300, `Valid to 20${whole(random, 24, 39)}-${whole(random, 10, 12)}`, { size: 16, font: SANS });
}
