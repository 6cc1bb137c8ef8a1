// The looks of the player. A constructed style sheet: a strict Content-Security-Policy has nothing to forbid.
export const STYLE = `
:host { display: block; position: relative; contain: content; }
:host([hidden]) { display: none; }
.player {
  --accent: var(--tm-viewer-accent, #0969da);
  --ink: var(--tm-viewer-ink, #1f2328);
  --soft: var(--tm-viewer-soft, #59636e);
  --line: var(--tm-viewer-line, #d1d9e0);
  --paper: var(--tm-viewer-paper, #ffffff);
  --hover: var(--tm-viewer-hover, #eef1f4);
  color-scheme: light; position: relative; display: flex; flex-direction: column; box-sizing: border-box;
  container-type: inline-size; overflow: hidden; color: var(--ink); background: var(--paper);
  border: 1px solid var(--line); border-radius: var(--tm-viewer-radius, 8px);
  font: 13px/1.4 var(--tm-viewer-font, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif);
}
.player[data-scheme=dark] {
  --accent: var(--tm-viewer-accent, #4493f8);
  --ink: var(--tm-viewer-ink, #e6edf3);
  --soft: var(--tm-viewer-soft, #9198a1);
  --line: var(--tm-viewer-line, #30363d);
  --paper: var(--tm-viewer-paper, #0d1117);
  --hover: var(--tm-viewer-hover, #1c232b);
  color-scheme: dark;
}
.row { position: relative; display: flex; min-height: 0; flex: 1 1 auto; }
.stage {
  position: relative; flex: 1 1 0; min-width: 0; max-height: var(--tm-viewer-max-height, none); overflow: hidden;
  outline-offset: -3px; touch-action: pan-y pinch-zoom; user-select: none; -webkit-user-select: none; cursor: pointer;
}
.stage.zoomed { cursor: grab; touch-action: none; }
.stage.zoomed:active { cursor: grabbing; }
.stage canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.stage.empty { min-height: 120px; }
.poster { display: block; }
.poster[hidden] { display: none; }
.poster img { display: block; width: 100%; height: auto; }
.ready .stage canvas { opacity: 1; }
:focus-visible { outline: 2px solid var(--accent); }
.start {
  position: absolute; z-index: 1; inset: 0; margin: auto; width: 64px; height: 64px; border-radius: 50%; border: 0; cursor: pointer;
  color: #fff; background: color-mix(in srgb, #0d1117 72%, transparent); display: grid; place-items: center; padding: 0;
}
.start:hover { background: #0d1117; }
.start svg { width: 30px; height: 30px; }
.player[data-scheme=dark] .start { color: #0d1117; background: color-mix(in srgb, #e6edf3 82%, transparent); }
.player[data-scheme=dark] .start:hover { background: #ffffff; }
.tip {
  position: absolute; z-index: 2; max-width: min(320px, 80%); padding: 4px 8px; border-radius: 6px; pointer-events: none;
  color: var(--paper); background: var(--ink); font-size: 12px; overflow-wrap: anywhere; white-space: pre-line;
}
.tip b, .tip span { display: block; font-weight: inherit; }
.tip b:not(:only-child) { font-weight: 600; }
.card {
  position: absolute; z-index: 2; top: 10px; right: 10px; box-sizing: border-box; width: min(340px, 100% - 20px); max-height: calc(100% - 20px); overflow: auto;
  border: 1px solid var(--line); border-radius: 8px; background: var(--paper); box-shadow: 0 6px 24px rgb(0 0 0 / .18); cursor: auto;
  user-select: text; -webkit-user-select: text;
}
.card.left { right: auto; left: 10px; }
.card .subject { display: flex; gap: 4px; padding: 6px; border-bottom: 1px solid var(--line); }
.card select {
  flex: 1; min-width: 0; height: 28px; padding: 0 4px; border: 1px solid var(--line); border-radius: 6px; color: inherit; background: var(--paper); font: inherit;
}
.card button { flex: none; display: grid; place-items: center; width: 28px; height: 28px; padding: 0; border: 0; border-radius: 6px; color: inherit; background: none; cursor: pointer; }
.card button:hover { background: var(--hover); }
.told { padding: 8px 12px 10px; overflow-wrap: anywhere; }
.told b { font-weight: 600; }
.told dl { display: grid; grid-template-columns: fit-content(38%) 1fr; gap: 3px 10px; margin: 6px 0 0; font-size: 12px; }
.told dt { color: var(--soft); }
.told dd { margin: 0; font-variant-numeric: tabular-nums; }
.layers { display: flex; flex-wrap: wrap; gap: 6px 18px; padding: 8px 10px; border-top: 1px solid var(--line); }
.layers .set { display: flex; flex-wrap: wrap; align-items: center; gap: 6px; }
.layers .set > span { color: var(--soft); font-size: 12px; }
.pill {
  height: 26px; padding: 0 11px; border: 1px solid var(--line); border-radius: 13px; color: var(--soft); background: none; font: inherit; cursor: pointer;
  text-decoration: line-through;
}
.pill[aria-pressed=true] {
  color: var(--ink); text-decoration: none; border-color: var(--accent); background: color-mix(in srgb, var(--accent) 12%, var(--paper));
}
.pill:hover { background: var(--hover); }
.message {
  display: flex; gap: 8px; align-items: flex-start; padding: 10px 12px; border-top: 1px solid var(--line);
  background: color-mix(in srgb, #d1242f 9%, var(--paper)); overflow-wrap: anywhere; white-space: pre-wrap;
}
.message::before {
  content: "!"; flex: none; width: 18px; height: 18px; border-radius: 50%; text-align: center; font-weight: 700; line-height: 18px;
  color: #fff; background: #c41c27;
}
.bar { display: flex; align-items: center; gap: 2px; padding: 4px 6px; border-top: 1px solid var(--line); }
.bar button, .help button {
  flex: none; display: grid; place-items: center; min-width: 32px; height: 32px; padding: 0 6px; border: 0; border-radius: 6px;
  color: inherit; background: none; font: inherit; font-variant-numeric: tabular-nums; cursor: pointer;
}
.bar button:hover { background: var(--hover); }
.bar button[aria-pressed=true], .bar button[aria-expanded=true] { color: var(--accent); background: var(--hover); }
.bar button:disabled { opacity: .4; cursor: default; }
svg { width: 16px; height: 16px; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
svg .full { fill: currentColor; }
.time { flex: none; padding: 0 6px; color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; font-size: 12px; }
.time b { font-weight: 500; color: var(--ink); }
.track { position: relative; flex: 1 1 80px; min-width: 60px; height: 32px; --done: 0%; }
.track .rail {
  position: absolute; inset: 14px 8px; border-radius: 2px; pointer-events: none;
  background: linear-gradient(to right, var(--accent) var(--done), var(--line) var(--done));
}
.track i { position: absolute; top: -3px; width: 2px; height: 10px; margin-left: -1px; border-radius: 1px; background: var(--soft); }
.track i.chapter { top: -5px; height: 14px; background: var(--ink); }
.track input {
  position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; appearance: none; -webkit-appearance: none; background: none;
  cursor: pointer; border-radius: 6px;
}
.track input::-webkit-slider-runnable-track { height: 32px; background: none; }
.track input::-webkit-slider-thumb {
  -webkit-appearance: none; width: 16px; height: 16px; margin-top: 8px; border-radius: 50%; background: var(--accent);
  border: 2px solid var(--paper); box-sizing: border-box;
}
.track input::-moz-range-track { height: 4px; background: none; }
.track input::-moz-range-thumb {
  width: 16px; height: 16px; border-radius: 50%; background: var(--accent); border: 2px solid var(--paper); box-sizing: border-box;
}
.bar select {
  flex: 0 1 auto; min-width: 0; max-width: 190px; height: 32px; padding: 0 4px; border: 1px solid transparent; border-radius: 6px;
  color: inherit; background: var(--paper); font: inherit; text-overflow: ellipsis; cursor: pointer;
}
.bar select:hover { background: var(--hover); }
.list {
  flex: 0 0 auto; width: clamp(220px, 28%, 340px); overflow: auto; border-left: 1px solid var(--line); contain: size layout; min-height: 160px;
}
.list ol { margin: 0; padding: 6px; list-style: none; }
.list b { display: block; margin: 10px 8px 4px; font-size: 12px; font-weight: 600; color: var(--soft); }
.list button {
  display: grid; grid-template-columns: 64px 1fr; gap: 8px; width: 100%; padding: 5px 8px; border: 0; border-radius: 6px;
  text-align: left; color: inherit; background: none; font: inherit; cursor: pointer;
}
.list button:hover { background: var(--hover); }
.list button[aria-current] { background: color-mix(in srgb, var(--accent) 14%, var(--paper)); }
.list small { color: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.list button[aria-current] small { color: var(--ink); }
.live {
  border-top: 1px solid var(--line); padding: 8px 10px; display: grid; gap: 8px;
  background: color-mix(in srgb, var(--accent) 5%, var(--paper));
}
.levers, .live .set { display: flex; flex-wrap: wrap; align-items: center; gap: 6px; }
.levers { gap: 6px 14px; }
.live .badge {
  padding: 1px 7px; border-radius: 9px; font-size: 11px; letter-spacing: .06em; color: #ffffff; background: #c41c27;
}
.live .how { color: var(--soft); font-size: 12px; }
.live button {
  height: 28px; padding: 0 9px; border: 1px solid var(--line); border-radius: 6px; color: inherit; background: var(--paper); font: inherit; cursor: pointer;
}
.live button:hover { background: var(--hover); }
.live button:disabled { opacity: .5; cursor: default; }
.live select, .live input {
  height: 28px; box-sizing: border-box; padding: 0 6px; border: 1px solid var(--line); border-radius: 6px; color: inherit; background: var(--paper); font: inherit;
  min-width: 0; max-width: 220px;
}
.live input { width: 210px; }
.live input.short { width: 70px; }
.live input.tiny { width: 52px; }
.live input::placeholder { color: var(--soft); }
.deeds { display: flex; flex-wrap: wrap; gap: 4px; margin: 0; padding: 0; list-style: none; max-height: 94px; overflow: auto; }
.deeds button { display: flex; gap: 6px; align-items: baseline; height: 26px; border-radius: 13px; }
.deeds small { color: var(--soft); font-variant-numeric: tabular-nums; }
.notes { margin: 0; color: var(--soft); white-space: pre-wrap; overflow-wrap: anywhere; }
.notes:empty { display: none; }
.script { display: grid; gap: 6px; }
.script textarea {
  width: 100%; box-sizing: border-box; padding: 8px; border: 1px solid var(--line); border-radius: 6px; resize: vertical;
  color: inherit; background: var(--paper); font: 12px/1.5 ui-monospace, monospace; white-space: pre; overflow: auto;
}
.bar button.done { color: var(--accent); }
.help {
  position: absolute; inset: 0; z-index: 3; overflow: auto; padding: 16px 20px; background: var(--paper);
}
.help p { margin: 0 0 8px; font-size: 15px; font-weight: 600; }
.help dl { display: grid; grid-template-columns: auto 1fr; gap: 5px 14px; margin: 0; max-width: 480px; }
.help dt { text-align: right; }
.help dd { margin: 0; }
.help kbd {
  display: inline-block; min-width: 12px; padding: 0 5px; border: 1px solid var(--line); border-radius: 4px; text-align: center;
  font: 12px/18px ui-monospace, monospace; background: var(--hover);
}
.help button { position: absolute; top: 10px; right: 10px; }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
[hidden] { display: none !important; }
:host(:fullscreen) .player { height: 100%; border: 0; border-radius: 0; }
:host(:fullscreen) .row { flex: 1 1 0; }
:host(:fullscreen) .stage { max-height: none; aspect-ratio: auto !important; }
@container (max-width: 1100px) {
  .bar select { max-width: 140px; }
}
@container (max-width: 940px) {
  .bar { flex-wrap: wrap; }
  .track { order: -1; flex: 1 0 100%; }
  .gap { flex: 1; }
}
@container (max-width: 720px) {
  .row { flex-direction: column; }
  .card, .card.left { position: static; width: auto; max-height: 240px; border-width: 1px 0 0; border-radius: 0; box-shadow: none; }
  .list { width: auto; height: 200px; border-left: 0; border-top: 1px solid var(--line); contain: layout; }
  .stage { flex: none; }
  .wide { display: none !important; }
  .bar { justify-content: space-between; }
  .gap { display: none; }
  .bar select { flex: 1 1 80px; max-width: none; }
}
@container (max-width: 480px) {
  .bar select { order: 1; flex: 1 0 100%; }
}
@media (pointer: coarse) {
  .bar button, .bar select { min-width: 40px; height: 40px; }
  .pill { height: 36px; border-radius: 18px; }
}
@media (forced-colors: active) {
  .track .rail { background: CanvasText; }
}
`;
