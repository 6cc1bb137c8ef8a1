// Elements without markup: nothing a script says is ever parsed as HTML.
const SVG = 'http://www.w3.org/2000/svg';

type Attributes = Record<string, string | boolean>;

/** An element with attributes and children. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.toggleAttribute(name, value !== false);
  for (const [name, value] of Object.entries(attributes)) if (typeof value === 'string') element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Lines on a field of 16 × 16; those that begin with `.` are filled. */
const ICONS = {
  play: ['.M5 3.2v9.6l7.8-4.8z'],
  pause: ['M5.5 3.5v9', 'M10.5 3.5v9'],
  replay: ['M3.5 8a4.6 4.6 0 1 0 1.6-3.5', 'M5.4 1.8 5 4.7l2.9.3'],
  back: ['.M11.5 3.6v8.8L5.8 8z', 'M4 3.8v8.4'],
  forward: ['.M4.500 3.6v8.8L10.2 8z', 'M12 3.8v8.4'],
  loop: ['M3 7.500a3 3 0 0 1 3-3h6', 'm10 2.500 2 2-2 2', 'M13 8.500a3 3 0 0 1-3 3H4', 'm6 13.500-2-2 2-2'],
  list: ['M6 4h7.500', 'M6 8h7.500', 'M6 12h7.500', 'M2.800 4h.1', 'M2.800 8h.1', 'M2.800 12h.1'],
  sequence: ['M4 2.500v11', 'M12 2.500v11', 'M4 6h7.500', 'm9.800 4.300 1.700 1.700-1.700 1.700', 'M12 11H4.500'],
  fit: ['M2.500 6V2.500H6', 'M13.500 6V2.500H10', 'M2.500 10v3.500H6', 'M13.500 10v3.500H10', '.M6 6h4v4H6z'],
  full: ['M2.500 6V2.500H6', 'M13.500 6V2.500H10', 'M2.500 10v3.500H6', 'M13.500 10v3.500H10'],
  in: ['M8 3.500v9', 'M3.500 8h9'],
  out: ['M3.500 8h9'],
  live: ['.M8 6.2a1.800 1.800 0 1 1 0 3.600 1.800 1.800 0 0 1 0-3.600z', 'M4.600 11.400a4.800 4.800 0 0 1 0-6.800', 'M11.400 4.600a4.800 4.800 0 0 1 0 6.800', 'M2.500 13.500a7.800 7.800 0 0 1 0-11', 'M13.500 2.500a7.800 7.800 0 0 1 0 11'],
  link: ['M6.800 9.200a2.600 2.600 0 0 0 3.700 0l2.200-2.200a2.600 2.600 0 0 0-3.700-3.700l-.700.700', 'M9.200 6.800a2.600 2.600 0 0 0-3.700 0L3.300 9a2.600 2.600 0 0 0 3.700 3.700l.700-.700'],
  layers: ['M8 2.500 14 6 8 9.500 2 6z', 'm2 9.800 6 3.500 6-3.500'],
  close: ['m4 4 8 8', 'm12 4-8 8'],
} as const;

export type Icon = keyof typeof ICONS;

/** A picture for a button. */
export function icon(name: Icon): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  for (const line of ICONS[name]) {
    const path = document.createElementNS(SVG, 'path');
    if (line.startsWith('.')) path.setAttribute('class', 'full');
    path.setAttribute('d', line.replace(/^\./, ''));
    svg.append(path);
  }
  return svg;
}

/** A button with a picture and a name. */
export function button(name: Icon | string, label: string, act: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = make('button', { type: 'button', 'aria-label': label, title: label, ...attributes }, name in ICONS ? icon(name as Icon) : name);
  made.addEventListener('click', act);
  return made;
}

/** Another picture and name for a button. */
export function relabel(element: HTMLButtonElement, name: Icon, label: string): void {
  if (element.ariaLabel === label) return;
  element.ariaLabel = element.title = label;
  element.replaceChildren(icon(name));
}

/** `1:05.2`, or `5.2` below a minute. */
export function clock(ms: number): string {
  const tenths = Math.floor(ms / 100), minutes = Math.floor(tenths / 600);
  const seconds = ((tenths % 600) / 10).toFixed(1);
  return minutes ? `${minutes}:${seconds.padStart(4, '0')}` : seconds;
}
