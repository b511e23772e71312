/** The report's look: system fonts, light and dark by the reader's setting, one accent. Boxes are lime on a dark halo. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f5f6f8; --surface: #fff; --sunk: #eceef2; --text: #15181e; --muted: #59616e; --line: #e0e3e9;
  --accent: #3056d3; --accent-soft: #e6ecff; --warn: #9a4b00; --warn-soft: #fff0de; --shadow: 0 1px 2px #10182810, 0 4px 16px #1018280a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d0f13; --surface: #16191f; --sunk: #20242c; --text: #e9ebef; --muted: #9ba3b1; --line: #292e37;
    --accent: #93acff; --accent-soft: #1f2a4d; --warn: #ffb870; --warn-soft: #3a2711; --shadow: none;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 20px; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } * { transition: none !important; } }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; -webkit-font-smoothing: antialiased; }
h1, h2, h3, h4, p, ul, ol, dl, dd { margin: 0; padding: 0; }
ul, ol { list-style: none; }
a { color: inherit; }
code, kbd, .paths, .source, .file { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .88em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
main:focus { outline: none; }
[hidden] { display: none !important; }
.definitions { position: absolute; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 16px; top: 16px; z-index: 9; background: var(--surface); padding: 8px 14px; border-radius: 8px; }

.hero { background: var(--surface); border-bottom: 1px solid var(--line); }
.inner { max-width: 1480px; margin: 0 auto; padding: 34px 28px 30px; }
.brand { color: var(--accent); font-size: 12px; font-weight: 650; letter-spacing: .09em; text-transform: uppercase; }
h1 { font-size: clamp(26px, 3.4vw, 38px); line-height: 1.15; letter-spacing: -.022em; font-weight: 680; margin: 6px 0 8px; overflow-wrap: anywhere; }
.sub { color: var(--muted); overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 26px; }
.tile { display: flex; flex-direction: column; background: var(--ground); border: 1px solid var(--line); border-radius: 14px; padding: 14px 16px 13px; }
.tile dt { order: 2; color: var(--muted); }
.tile dd { order: 1; font-size: 30px; line-height: 1.1; font-weight: 660; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
.tile dd.small { order: 3; font-size: 12.5px; font-weight: 400; letter-spacing: 0; color: var(--muted); margin-top: 5px; }

.columns { display: grid; grid-template-columns: 264px minmax(0, 1fr); gap: 36px; max-width: 1480px; margin: 0 auto; padding: 0 28px; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; margin-left: -4px; padding: 26px 4px; scrollbar-width: thin; }
.section-links { border-bottom: 1px solid var(--line); padding-bottom: 14px; margin-bottom: 16px; }
.section-links a { display: block; padding: 4px 10px; border-radius: 8px; text-decoration: none; font-weight: 520; }
.section-links a:hover, .class-links a:hover { background: var(--sunk); }
search label { display: flex; justify-content: space-between; align-items: center; font-size: 12.5px; color: var(--muted); padding: 0 10px 6px; }
kbd { border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 5px; padding: 0 6px; background: var(--surface); }
#filter { width: 100%; font: inherit; color: inherit; background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 8px 12px; }
#filtered { display: block; min-height: 20px; padding: 5px 10px 3px; font-size: 12.5px; color: var(--muted); }
.class-links a { display: grid; grid-template-columns: 1fr auto; gap: 0 10px; padding: 5px 10px 6px; border-radius: 8px; text-decoration: none; }
.class-links .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.number { font-variant-numeric: tabular-nums; }
.class-links .number, .class-links small { color: var(--muted); }
.bar { grid-column: 1 / -1; width: 100%; height: 3px; margin-top: 3px; display: block; background: var(--sunk); border-radius: 2px; }
.bar rect, .meter rect { fill: var(--accent); }
.meter { width: 64px; height: 6px; border-radius: 3px; vertical-align: middle; margin: 0 2px 2px 4px; }
.meter .track { fill: var(--sunk); }

main { padding: 26px 0 40px; min-width: 0; }
section { margin-bottom: 46px; }
h2 { font-size: 22px; letter-spacing: -.015em; margin-bottom: 14px; }
h3 { font-size: 18px; letter-spacing: -.01em; overflow-wrap: anywhere; min-width: 0; }
section > h3 { margin: 26px 0 6px; }
h4 { font-size: 12px; font-weight: 600; color: var(--muted); margin: 14px 0 7px; }
.lead { color: var(--muted); max-width: 74ch; margin-bottom: 14px; }
.empty, .more { color: var(--muted); }
.more { padding-top: 10px; }
.card { background: var(--surface); border: 1px solid var(--line); border-radius: 16px; box-shadow: var(--shadow); padding: 18px 20px 20px; }
.class-card { margin-bottom: 16px; content-visibility: auto; contain-intrinsic-size: auto 520px; }
.class-card header { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; justify-content: space-between; }
.class-card:target { border-color: var(--accent); box-shadow: 0 0 0 3px var(--accent-soft); }
.facts { display: flex; flex-wrap: wrap; gap: 2px 18px; color: var(--muted); margin-top: 3px; }
.facts strong { color: var(--text); }
.origins { display: flex; flex-wrap: wrap; gap: 6px; }
.tag { display: inline-block; background: var(--sunk); border-radius: 999px; padding: 1px 10px; font-size: 12.5px; white-space: nowrap; }
.origin-human, .origin-imported { background: var(--accent-soft); color: var(--accent); }
.warn { background: var(--warn-soft); color: var(--warn); }
.class-card > .facts + .shots { margin-top: 14px; }

.shots { --row: 148px; display: flex; flex-wrap: wrap; gap: 8px; }
.shots::after { content: ""; flex: 1000 1 0; }
.shots li { min-width: 0; max-width: 100%; }
.shot { display: block; width: 100%; position: relative; padding: 0; border: 0; border-radius: 10px; overflow: hidden; background: var(--sunk); cursor: zoom-in; line-height: 0; transition: transform .12s ease, box-shadow .12s ease; }
.shot:hover { transform: translateY(-2px); box-shadow: 0 6px 18px #0004; }
.shot svg { display: block; width: 100%; height: auto; max-height: calc(var(--row) * 2); }
.group-card .shots { --row: 84px; }
.halo, .box { fill: none; vector-effect: non-scaling-stroke; }
.halo { stroke: #000; stroke-opacity: .6; stroke-width: 4.5; }
.box { stroke: #b9ff3a; stroke-width: 2; }
.other { stroke: #ff8a3d; stroke-dasharray: 7 5; }
.mask { fill: #b9ff3a59; fill-rule: evenodd; stroke: #b9ff3a; stroke-width: 1.2; vector-effect: non-scaling-stroke; }
.bones, .joints { fill: none; vector-effect: non-scaling-stroke; stroke-linecap: round; }
.bones { stroke: #48d8ff; stroke-width: 2; }
.joints { stroke: #fff; stroke-width: 5; }
.tree ul ul { padding-left: 22px; border-left: 1px solid var(--line); margin-left: 5px; }
.tree li { padding: 2px 0; }
.tree li > .node { padding-left: 16px; }
.tree summary { white-space: normal; color: inherit; }
.tree .number { color: var(--muted); font-size: 13px; margin-left: 6px; }
.tree > ul { columns: 3 300px; column-gap: 34px; }
.tree > ul > li { break-inside: avoid; }
.chip { position: absolute; left: 6px; bottom: 6px; background: #000b; color: #fff; font: 600 11.5px/1 system-ui, sans-serif; padding: 4px 7px; border-radius: 6px; font-variant-numeric: tabular-nums; }
.groups { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 430px), 1fr)); gap: 14px; align-items: start; }
.group-card { padding: 14px 16px 16px; content-visibility: auto; contain-intrinsic-size: auto 150px; }
.group-card .facts { margin: 0 0 10px; }

.scroll { overflow-x: auto; background: var(--surface); border: 1px solid var(--line); border-radius: 16px; box-shadow: var(--shadow); margin-top: 12px; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-size: 12.5px; font-weight: 600; color: var(--muted); }
th, td { padding: 9px 16px; vertical-align: top; }
tbody tr { border-top: 1px solid var(--line); }
.paths { overflow-wrap: anywhere; white-space: pre-wrap; }
.nowrap { white-space: nowrap; }
.count { color: var(--muted); margin-right: 10px; white-space: nowrap; }
.count b { color: var(--text); font-weight: 600; font-variant-numeric: tabular-nums; }
summary { white-space: nowrap; cursor: pointer; color: var(--accent); }
dl dl, details dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 14px; padding-top: 6px; font-size: 13px; }
details dt { color: var(--muted); }
details dd { overflow-wrap: anywhere; }
.notes { display: grid; gap: 10px; max-width: 84ch; }
.notes li { padding-left: 16px; border-left: 3px solid var(--line); }
footer { border-top: 1px solid var(--line); color: var(--muted); font-size: 13px; padding: 18px 28px 30px; text-align: center; }

dialog { border: 0; padding: 0; margin: auto; background: #0b0c0f; color: #f2f3f5; border-radius: 16px; width: min(96vw, 1200px); overflow: hidden; }
dialog::backdrop { background: #000c; }
.stage { display: grid; place-items: center; height: min(78vh, 860px); background: #000; }
.stage svg { width: 100%; height: 100%; min-height: 0; }
.caption { display: flex; gap: 16px; justify-content: space-between; align-items: center; padding: 12px 18px; }
.caption .file { overflow-wrap: anywhere; }
.caption .of { color: #aab1bd; }
.buttons { display: flex; gap: 6px; flex: none; }
.buttons button { font: inherit; width: 40px; height: 38px; border: 0; border-radius: 10px; background: #ffffff1c; color: inherit; cursor: pointer; }
.buttons button:hover { background: #ffffff33; }

@media (max-width: 900px) {
  .columns { grid-template-columns: minmax(0, 1fr); gap: 0; padding: 0 16px; }
  .inner { padding: 24px 16px 22px; }
  nav { position: static; max-height: none; margin: 0; padding: 18px 0 0; }
  .section-links { display: flex; flex-wrap: wrap; }
  .class-links { display: flex; gap: 4px; overflow-x: auto; padding-bottom: 6px; }
  .class-links li { flex: none; }
  .class-links a { background: var(--surface); border: 1px solid var(--line); }
  .shots { --row: 108px; }
}
@media print {
  nav, dialog, .skip, footer { display: none; }
  .columns { display: block; }
  .class-card, .group-card { content-visibility: visible; break-inside: avoid; }
}
`;
