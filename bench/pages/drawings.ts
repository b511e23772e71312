/** Charts, plans, codes and frames of films. */
import { between, pick, type Random, Sheet, whole, word, words } from './sheet.ts';

function axes(sheet: Sheet): Sheet {
  sheet.line(80, 520, 760, 520, '#000', 2).line(80, 60, 80, 520, '#000', 2);
  for (let i = 0; i < 5; i++) {
    sheet.line(80, 60 + i * 92, 760, 60 + i * 92, '#ddd').text(40, 64 + i * 92, 500 - i * 100, { size: 12 });
  }
  return sheet;
}

export function barChart(random: Random): Sheet {
  const sheet = axes(new Sheet(800, 600, '#ffffff').text(300, 40, words(random, 3), { size: 18 }));
  for (let bar = 0; bar < 10; bar++) {
    const height = between(random, 30, 450);
    sheet.rect(100 + bar * 66, 520 - height, 44, height, '#4472c4');
    sheet.text(102 + bar * 66, 540, word(random).slice(0, 5), { size: 11 });
  }
  return sheet;
}

export function lineChart(random: Random): Sheet {
  const sheet = axes(new Sheet(800, 600, '#ffffff').text(300, 40, 'Quarterly results', { size: 18 }));
  for (const colour of ['#c00', '#070']) {
    let value = 0.5;
    const points = Array.from({ length: 41 }, (_, i): [number, number] => {
      value = Math.min(1, Math.max(0, value + between(random, -0.1, 0.1)));
      return [80 + i * 17, 520 - value * 440];
    });
    sheet.path(points, colour);
  }
  return sheet;
}

export function scatter(random: Random): Sheet {
  const sheet = axes(new Sheet(800, 600, '#ffffff').text(300, 40, 'Temperature and pressure', { size: 18 }));
  for (let i = 0; i < 60; i++) {
    const x = random();
    sheet.oval(90 + 660 * x, 510 - 400 * Math.min(1, Math.max(0, x + between(random, -0.3, 0.3))), 4, 4, '#c0504d');
  }
  return sheet;
}

const MODULES = 33;

export function matrixCode(random: Random): Sheet {
  const [side, margin] = [12, 48];
  const sheet = new Sheet(MODULES * side + 2 * margin, MODULES * side + 2 * margin, '#ffffff');
  const square = (x: number, y: number, size: number, fill: string) =>
    sheet.rect(margin + x * side, margin + y * side, size * side, size * side, fill);
  for (let y = 0; y < MODULES; y++) for (let x = 0; x < MODULES; x++) if (random() < 0.5) square(x, y, 1, '#000');
  for (const [x, y] of [
    [0, 0],
    [MODULES - 7, 0],
    [0, MODULES - 7],
  ] as const) {
    square(x - (x > 0 ? 1 : 0), y - (y > 0 ? 1 : 0), 8, '#fff');
    square(x, y, 7, '#000');
    square(x + 1, y + 1, 5, '#fff');
    square(x + 2, y + 2, 3, '#000');
  }
  return sheet;
}

export function circuit(random: Random): Sheet {
  const sheet = new Sheet(840, 600, '#ffffff');
  for (let cell = 0; cell < 35; cell++) {
    const [x, y] = [60 + (cell % 7) * 110, 60 + Math.floor(cell / 7) * 110];
    if (random() < 0.6) sheet.line(x, y, x + 110, y, '#000', 2);
    if (random() < 0.5) sheet.line(x, y, x, y + 110, '#000', 2);
    const part = random();
    if (part < 0.25)
      sheet.rect(x + 30, y - 10, 50, 20, '#fff', '#000').text(x + 40, y - 16, `R${whole(random, 1, 99)}`);
    else if (part < 0.4) for (const at of [50, 60]) sheet.line(x + at, y - 16, x + at, y + 16, '#000', 3);
    else if (part < 0.5) sheet.oval(x, y, 16, 16, '#fff', '#000');
  }
  return sheet;
}

export function map(random: Random): Sheet {
  const sheet = new Sheet(800, 600, '#eceff1');
  for (let i = 0; i < 14; i++) {
    sheet.line(random() * 800, 0, random() * 800, 600, '#fff', between(random, 3, 9));
    sheet.line(0, random() * 600, 800, random() * 600, '#fff', between(random, 3, 9));
  }
  for (let i = 0; i < 6; i++) {
    const [x, y, fill] = [random() * 800, random() * 600, pick(random, ['#c8e6c9', '#bbdefb'])];
    sheet.oval(x, y, between(random, 20, 100), between(random, 20, 80), fill);
  }
  for (let i = 0; i < 12; i++) sheet.text(random() * 700, random() * 580, word(random), { size: 12, fill: '#555' });
  return sheet;
}

export function drawing(random: Random): Sheet {
  const sheet = new Sheet(800, 600, '#ffffff');
  for (let i = whole(random, 3, 10); i > 0; i--) {
    const [x, y, size] = [between(random, 80, 720), between(random, 80, 520), between(random, 30, 180)];
    const turn = () => between(random, -size, size);
    const shape = whole(random, 0, 3);
    if (shape === 0) sheet.oval(x, y, size / 2, size / 2, 'none', '#000');
    else if (shape === 1) sheet.rect(x, y, size, size * 0.6, 'none', '#000');
    else if (shape === 2) sheet.line(x, y, x + turn(), y + turn(), '#000', 2);
    else sheet.path([[x, y], ...Array.from({ length: 5 }, (): [number, number] => [x + turn(), y + turn()])], '#000');
  }
  return sheet;
}

/** Dark frames of a film between black bars, with a line of words below. */
export function letterbox(random: Random): Sheet {
  const sheet = new Sheet(960, 720, '#000000').rect(0, 130, 960, 460, '#20242b').rect(0, 420, 960, 170, '#15181c');
  for (let i = whole(random, 3, 6); i > 0; i--) {
    const [x, y] = [random() * 960, between(random, 260, 470)];
    sheet.rect(x, y, between(random, 20, 60), 590 - y, pick(random, ['#3a3f47', '#2b3036', '#4a4438']));
  }
  return sheet.text(240, 650, words(random, 5), { size: 24, fill: '#e0e0e0' });
}
