/** Screenshots: bars and menus stay, the content differs. */
import { between, MONO, pick, type Random, SANS, Sheet, whole, word, words } from './sheet.ts';

export function dashboard(random: Random): Sheet {
  const sheet = new Sheet(1280, 800, '#f7f8fa').rect(0, 0, 1280, 48, '#3b5998');
  sheet.text(20, 32, 'MyApp', { size: 20, fill: '#fff' }).rect(0, 48, 220, 752, '#eef1f5');
  const menu = ['Dashboard', 'Orders', 'Customers', 'Products', 'Reports', 'Settings', 'Users', 'Billing', 'Help'];
  for (const [i, entry] of menu.entries()) sheet.text(24, 90 + i * 36, entry, { fill: '#444' });
  sheet.text(250, 96, words(random, 2), { size: 22 });
  for (let row = whole(random, 5, 12); row > 0; row--) {
    const y = 84 + row * 46;
    sheet.rect(250, y, 1000, 38, '#fff', '#ddd').text(264, y + 24, words(random, whole(random, 2, 6)), { size: 13 });
    sheet.text(800, y + 24, between(random, 0, 10000).toFixed(2), { size: 13 });
    const state = pick(random, ['#4caf50', '#f44336', '#ff9800', '#2196f3']);
    sheet.rect(1100, y + 8, between(random, 80, 140), 22, state);
  }
  return sheet;
}

const SYNTAX = ['#569cd6', '#ce9178', '#9cdcfe', '#dcdcaa', '#c586c0', '#d4d4d4'];

export function editor(random: Random): Sheet {
  const sheet = new Sheet(1280, 800, '#1e1e1e').rect(0, 0, 1280, 40, '#252526').rect(0, 40, 200, 760, '#252526');
  sheet.text(16, 26, 'File Edit View Run Terminal Help', { size: 13, fill: '#ccc' });
  const files = ['src', 'test', 'docs', 'index.ts', 'main.ts', 'app.ts', 'store.ts', 'api.ts', 'README', 'package'];
  for (const [i, file] of files.entries()) sheet.text(20, 74 + i * 24, file, { size: 12, font: MONO, fill: '#bbb' });
  for (let y = 70; y < 784; y += 21) {
    if (random() < 0.15) continue;
    let x = 240 + whole(random, 0, 3) * 24;
    for (let count = whole(random, 1, 6); count > 0; count--) {
      const token = word(random);
      sheet.text(x, y, token, { size: 13, font: MONO, fill: pick(random, SYNTAX) });
      x += token.length * 8 + 10;
    }
  }
  return sheet;
}

export function darkPage(random: Random): Sheet {
  const sheet = new Sheet(800, 1000, '#121212').text(60, 80, words(random, 4), { size: 26, fill: '#eee' });
  let y = 130;
  for (let i = 0; i < 4; i++) {
    y = sheet.paragraph(random, 60, y, 680, whole(random, 3, 7), { size: 15, fill: '#cfcfcf' }) + 18;
  }
  return sheet;
}

export function chat(random: Random): Sheet {
  const sheet = new Sheet(400, 800, '#ece5dd').rect(0, 0, 400, 60, '#075e54');
  sheet.text(60, 38, words(random, 2), { size: 18, fill: '#fff' });
  for (let y = 90; y < 740; ) {
    const [isMine, width, lines] = [random() < 0.5, between(random, 120, 300), whole(random, 1, 4)];
    const [x, height] = [isMine ? 390 - width : 10, 20 + lines * 18];
    sheet.rect(x, y, width, height, isMine ? '#dcf8c6' : '#ffffff');
    for (let line = 0; line < lines; line++) {
      sheet.text(x + 10, y + 22 + line * 18, words(random, 2).slice(0, width / 8), { size: 12 });
    }
    y += height + 12;
  }
  return sheet;
}

export function phone(random: Random): Sheet {
  const sheet = new Sheet(390, 844, '#f2f2f7').rect(0, 0, 390, 44, '#fff').text(20, 28, '9:41');
  sheet.text(20, 84, 'Settings', { size: 28, fill: '#000' });
  for (let row = 0; row < 12; row++) {
    const y = 110 + row * 54;
    sheet.rect(0, y, 390, 53, '#fff', '#e5e5e5');
    sheet.rect(16, y + 12, 30, 30, pick(random, ['#ff3b30', '#34c759', '#007aff', '#ff9500', '#5856d6']));
    sheet.text(60, y + 32, words(random, whole(random, 1, 3)), { size: 15 });
    if (random() < 0.4) sheet.rect(320, y + 14, 50, 26, random() < 0.5 ? '#34c759' : '#ddd');
  }
  return sheet;
}

export function terminal(random: Random): Sheet {
  const sheet = new Sheet(900, 600, '#000000');
  const end = between(random, 140, 590);
  for (let y = 24; y < end; y += 18) {
    const line = random() < 0.25 ? `user@host:~$ ${words(random, 2)}` : words(random, whole(random, 2, 9));
    sheet.text(10, y, line, { size: 13, font: MONO, fill: random() < 0.2 ? '#0f0' : '#ddd' });
  }
  return sheet;
}

export function slide(random: Random): Sheet {
  const sheet = new Sheet(960, 540, '#ffffff').rect(0, 0, 960, 70, '#1f4e79');
  sheet.text(30, 46, words(random, whole(random, 3, 5)), { size: 28, fill: '#fff' });
  for (let point = whole(random, 3, 6); point > 0; point--) {
    const y = 63 + point * 62;
    sheet.oval(60, y, 5, 5, '#1f4e79').text(80, y + 7, words(random, whole(random, 4, 9)), { size: 20, fill: '#222' });
  }
  sheet.text(880, 525, whole(random, 1, 60), { fill: '#888' });
  return sheet.text(30, 525, 'Company confidential', { size: 12, fill: '#888' });
}

/** Shop pages under one banner. */
export function banner(random: Random): Sheet {
  const sheet = new Sheet(1000, 760, '#ffffff').rect(0, 0, 1000, 260, '#b71c1c');
  sheet.text(120, 160, 'WINTER SALE −50 %', { size: 76, fill: '#fff', font: SANS });
  for (let i = 0; i < 8; i++) {
    const [x, y] = [40 + (i % 4) * 240, 300 + Math.floor(i / 4) * 220];
    sheet.rect(x, y, 200, 130, '#f1f1f1', '#ddd').text(x, y + 156, words(random, 2), { size: 15 });
    sheet.oval(x + 100, y + 65, between(random, 15, 70), between(random, 12, 50), pick(random, SYNTAX));
    sheet.text(x, y + 180, between(random, 1, 300).toFixed(2), { size: 16, fill: '#b71c1c' });
  }
  return sheet;
}
