/**
 * The report's behaviour: the class filter and the large view. Plain JavaScript for the reader's browser; the page is
 * whole without it. It only ever copies nodes and sets text, never markup.
 */
export const SCRIPT = `
'use strict';
const filter = document.getElementById('filter');
if (filter) {
  const named = [...document.querySelectorAll('[data-name]')];
  const cards = named.filter((element) => element.classList.contains('class-card'));
  const filtered = document.getElementById('filtered');
  const none = document.getElementById('no-class');
  const apply = () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const element of named) element.hidden = !element.dataset.name.includes(wanted);
    const left = cards.filter((card) => !card.hidden).length;
    filtered.value = wanted === '' ? '' : left + ' of ' + cards.length + (cards.length === 1 ? ' class' : ' classes');
    none.hidden = left > 0;
  };
  filter.addEventListener('input', apply);
  filter.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    filter.value = '';
    apply();
    filter.blur();
  });
  addEventListener('keydown', (event) => {
    const typing = event.target instanceof Element && event.target.closest('input, textarea, dialog');
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || typing) return;
    event.preventDefault();
    filter.focus();
    filter.select();
  });
  apply();
}

const large = document.getElementById('large');
const stage = large.querySelector('.stage');
let current = null;
const show = (shot) => {
  current = shot;
  stage.replaceChildren(shot.querySelector('svg').cloneNode(true));
  large.querySelector('.file').textContent = shot.dataset.file;
  large.querySelector('.of').textContent = shot.dataset.facts;
  if (!large.open) large.showModal();
};
const step = (by) => {
  const shots = [...document.querySelectorAll('.shot')].filter((shot) => !shot.closest('[hidden]'));
  const at = shots.indexOf(current);
  show(shots[(at + by + shots.length) % shots.length]);
};
document.addEventListener('click', (event) => {
  const shot = event.target instanceof Element && event.target.closest('.shot');
  if (shot) show(shot);
});
large.addEventListener('click', (event) => {
  if (event.target === large) large.close();
});
large.addEventListener('keydown', (event) => {
  if (event.key === 'ArrowRight') step(1);
  if (event.key === 'ArrowLeft') step(-1);
});
large.addEventListener('close', () => {
  stage.replaceChildren();
  if (current) current.focus();
});
large.querySelector('.next').addEventListener('click', () => step(1));
large.querySelector('.previous').addEventListener('click', () => step(-1));
large.querySelector('.close').addEventListener('click', () => large.close());
`;
