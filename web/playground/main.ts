// The playground: a script on the left, its picture on the right.
import { examples as scripts, open as openDesk, types as declarations, type Order, type Problem } from './desk';
import { open } from './editor';
import { pack, unpack } from './share';
import { Types } from './types';

/** How long a writer rests before the script is drawn, ms. */
const REST = 250;

interface Viewer extends HTMLElement {
  bundle: object | undefined;
  readonly currentTime: number;
  readonly scenario: string;
  readonly scenarios: readonly { id: string; start: number; end: number }[];
}

const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const viewer = document.querySelector('topomotion-viewer') as Viewer;
const words = find('state');
const list = find<HTMLOListElement>('problems');
const choice = find<HTMLSelectElement>('examples');
const exports = find<HTMLDetailsElement>('export');

function say(text: string, wrong = false): void {
  words.textContent = text;
  words.className = wrong ? 'wrong' : '';
}

const desk = openDesk();
const [types, examples] = await Promise.all([declarations(), scripts()]);
let timer = 0;
let running: AbortController | undefined;
const editor = open(find('editor'), new Types(types), () => {
  clearTimeout(timer);
  timer = window.setTimeout(() => void draw(), REST);
});

/** Draws what is written now; what was under way is of no interest any more. */
async function draw(): Promise<void> {
  running?.abort();
  const { signal } = running = new AbortController();
  say('drawing …');
  const start = performance.now();
  try {
    const { bundle, problems } = await desk.compile(editor.text(), signal);
    if (signal.aborted) return;
    show(problems);
    document.body.classList.toggle('stale', !bundle);
    const mistakes = problems.filter(({ severity }) => severity === 'error').length;
    if (bundle) viewer.bundle = bundle;
    if (bundle) say(`drawn in ${Math.round(performance.now() - start)} ms`);
    else say(`${mistakes === 1 ? 'one mistake' : `${mistakes} mistakes`}; the picture is the last that worked`, true);
  } catch (error) {
    if (!signal.aborted) say(error instanceof Error ? error.message : String(error), true);
  }
}

function show(problems: Problem[]): void {
  editor.mark(problems);
  list.hidden = problems.length === 0;
  list.replaceChildren(...problems.map(({ line, column, severity, message, help }) => {
    const entry = document.createElement('li');
    entry.className = severity;
    const button = document.createElement('button');
    button.type = 'button';
    const place = document.createElement('small');
    place.textContent = line ? `${line}:${column}` : severity;
    const told = document.createElement('span');
    told.textContent = message;
    if (help) {
      const more = document.createElement('i');
      more.textContent = help;
      told.append(more);
    }
    button.append(place, told);
    button.addEventListener('click', () => { if (line) editor.go(line, column); });
    entry.append(button);
    return entry;
  }));
}

choice.replaceChildren(...examples.map(({ title }, index) => new Option(title, String(index))), new Option('…', ''));
choice.lastElementChild!.toggleAttribute('hidden', true);
choice.addEventListener('change', () => {
  const chosen = examples[Number(choice.value)];
  if (!chosen) return;
  history.replaceState(undefined, '', location.pathname);
  editor.replace(chosen.script);
  void draw();
});

find('share').addEventListener('click', () => void (async () => {
  history.replaceState(undefined, '', `#code=${await pack(editor.text())}`);
  try {
    await navigator.clipboard.writeText(location.href);
    say('The link is copied: the whole script is in it.');
  } catch {
    say('The link stands in the address bar: the whole script is in it.');
  }
})());

exports.addEventListener('click', (event) => {
  const form = (event.target as HTMLElement).dataset['form'];
  if (form) void save(form);
});
exports.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  exports.open = false;
  exports.querySelector('summary')!.focus();
});
document.addEventListener('click', (event) => { if (!exports.contains(event.target as Node)) exports.open = false; });

async function save(form: string): Promise<void> {
  exports.open = false;
  const endings: Record<string, string> = { script: 'ts', bundle: 'topo.json' };
  say('making a file …');
  try {
    const script = editor.text();
    const start = viewer.scenarios.find(({ id }) => id === viewer.scenario)?.start ?? 0;
    const order: Order = { form };
    if (form === 'png') Object.assign(order, { at: start / 1000 + viewer.currentTime });
    if (form === 'gif' && viewer.scenario) order.scenario = viewer.scenario;
    const blob = form === 'script' ? new Blob([script], { type: 'text/plain' }) : await desk.make(script, order);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = `topomotion.${endings[form] ?? form}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    say(`saved ${link.download}: ${Math.ceil(blob.size / 1000)} KB`);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), true);
  }
}

/** What the page's address holds, or the first example. */
async function begin(): Promise<void> {
  const shared = new URLSearchParams(location.hash.slice(1)).get('code');
  try {
    editor.replace(shared ? await unpack(shared) : examples[0]?.script ?? '');
    choice.value = shared ? '' : '0';
  } catch (error) {
    editor.replace(examples[0]?.script ?? '');
    await draw();
    say(error instanceof Error ? error.message : String(error), true);
    return;
  }
  await draw();
}

window.addEventListener('hashchange', () => { if (location.hash.startsWith('#code=')) void begin(); });
await begin();
