// What is played: read, and refused with words that help.

/** The form of bundles that this viewer reads. */
export const FORM = 1;

/** No bundle is read that is larger, bytes. */
const LARGEST = 32 << 20;

/** One scenario's stretch of the film. Times are ms. */
export interface Scenario { id: string; title: string; start: number; end: number; steps: number[] }

/** A line of what happens: when, the engine's clock then, and the words. */
export interface Line { at: number; clock: string; text: string }

/** A picture of the story, packed. */
export interface View { view: string; width: number; height: number; duration: number; poster: number; film: string; about?: string }

/** A film and the words about it: what `topomotion render -o x.topo.json` writes. */
export interface Bundle {
  'topomotion-bundle': number;
  generator: string;
  title: string;
  description: string;
  scenarios: Scenario[];
  transcript: Line[];
  views: View[];
  /** What the engine needs to go on with the runs: JSON, zlib, base64. */
  live?: string;
}

/** A mistake in what was to be played; its message is for the reader. */
export class ViewerError extends Error {
  override name = 'ViewerError';
}

const isTime = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < 2 ** 32;
const isText = (value: unknown): value is string => typeof value === 'string';
const isLength = (value: unknown): value is number => typeof value === 'number' && value > 0 && value < 1e6;

/** Looks whether this is a bundle; `name` is what messages call it. */
export function check(data: unknown, name: string): Bundle {
  const bad = (what: string): never => {
    throw new ViewerError(`${name} ${what}`);
  };
  if (typeof data !== 'object' || data === null || !('topomotion-bundle' in data)) {
    return bad('is no topomotion bundle. One is made by: topomotion render script.ts -o film.topo.json');
  }
  const bundle = data as Bundle;
  const form = bundle['topomotion-bundle'];
  if (typeof form !== 'number' || form < 1) bad('does not tell its version');
  if (form > FORM) {
    bad(`is of version ${form}, and this viewer reads version ${FORM}: use the viewer that came with the topomotion that wrote it`);
  }
  const isScenario = (one: Scenario) => isText(one?.id) && isText(one.title) && isTime(one.start) && isTime(one.end)
    && one.start <= one.end && Array.isArray(one.steps) && one.steps.every(isTime);
  const isLine = (one: Line) => isTime(one?.at) && isText(one.clock) && isText(one.text);
  const isView = (one: View) => isText(one?.view) && isLength(one.width) && isLength(one.height) && isTime(one.duration)
    && isTime(one.poster) && isText(one.film) && (one.about === undefined || isText(one.about));
  if (!isText(bundle.title) || !isText(bundle.description)) bad('is damaged: it has no title');
  if (!Array.isArray(bundle.scenarios) || !bundle.scenarios.every(isScenario)) bad('is damaged: its scenarios cannot be read');
  if (!Array.isArray(bundle.transcript) || !bundle.transcript.every(isLine)) bad('is damaged: its transcript cannot be read');
  if (bundle.live !== undefined && !isText(bundle.live)) bad('is damaged: its runs cannot be read');
  if (!Array.isArray(bundle.views) || bundle.views.length === 0 || !bundle.views.every(isView)) {
    bad('is damaged: it holds no picture');
  }
  return bundle;
}

/** Reads the text of a bundle. */
export function parse(text: string, name: string): Bundle {
  if (text.length > LARGEST) throw new ViewerError(`${name} is larger than ${LARGEST >> 20} MB: show fewer scenarios`);
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    const isCut = text.trimStart().startsWith('{');
    throw new ViewerError(`${name} ${isCut ? 'is cut off or damaged: it is not whole JSON' : 'is not JSON'}`);
  }
  return check(data, name);
}

/** Fetches a bundle. */
export async function load(src: string, base: string, signal: AbortSignal): Promise<Bundle> {
  const name = src.split(/[?#]/)[0]!.split('/').pop() || src;
  let response: Response;
  try {
    response = await fetch(new URL(src, base), { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ViewerError(`${name} could not be fetched: ${location.protocol === 'file:'
      ? 'pages on a disk may not read files beside them (render -o x.html makes one page of both)'
      : 'the server does not answer, or does not allow it'}`);
  }
  if (!response.ok) throw new ViewerError(`${name} could not be fetched: the server says ${response.status} ${response.statusText}`.trim());
  if (Number(response.headers.get('content-length')) > LARGEST) {
    throw new ViewerError(`${name} is larger than ${LARGEST >> 20} MB: show fewer scenarios`);
  }
  return parse(await response.text(), name);
}

/** Base64 as bytes. */
export function letters(text: string): Uint8Array<ArrayBuffer> {
  const read = atob(text);
  const bytes = new Uint8Array(read.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = read.charCodeAt(at);
  return bytes;
}

/** Base64 of zlib, unpacked. */
export async function inflate(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([letters(text)]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The packed film of a view. */
export async function unzip(view: View): Promise<Uint8Array> {
  try {
    return await inflate(view.film);
  } catch {
    throw new ViewerError('the bundle is damaged: its film cannot be unpacked');
  }
}
