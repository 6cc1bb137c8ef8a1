// What assistive technology, a strict content security policy and a site's own style sheet make of our SVG, in a real
// Chromium.
//
//     node tests/browser/accessibility.mjs [path of the topomotion binary]
//
// Fetches playwright-core with npm if it is not there. Without Chromium (CHROMIUM, else /usr/bin/chromium) nothing can be
// checked: it says so and ends well.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const binary = resolve(process.argv[2] ?? join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/topomotion'));
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(executablePath)) {
  console.error(`SKIPPED: no Chromium at ${executablePath}: NOTHING was checked (apt-get install chromium, or set CHROMIUM)`);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'topomotion-browser-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** playwright-core: the one that is installed, or one fetched for this run. */
function playwright() {
  try {
    return createRequire(import.meta.url)('playwright-core');
  } catch {
    execFileSync('npm', ['install', '--silent', '--no-save', '--prefix', folder, 'playwright-core'], { stdio: 'inherit' });
    return createRequire(join(folder, 'node_modules/'))('playwright-core');
  }
}

let failures = 0;
function check(what, holds, found = '') {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}${holds ? '' : `: ${found}`}`);
  failures += holds ? 0 : 1;
}

function render(script, ...options) {
  const file = join(folder, 'out.svg');
  execFileSync(binary, ['render', join(root, script), '-o', file, ...options], { stdio: 'ignore' });
  return readFileSync(file, 'utf8');
}

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; font-src data:";
const page = (body) => `<!doctype html><html lang="en"><head><meta http-equiv="Content-Security-Policy" content="${POLICY}">` +
  `<title>t</title></head><body style="margin:0">${body}</body></html>`;

const browser = await playwright().chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });

/** A page under the policy, and what the browser complained of. */
async function open(body) {
  const tab = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
  const complaints = [];
  tab.on('console', (message) => complaints.push(message.text()));
  tab.on('pageerror', (error) => complaints.push(String(error)));
  await tab.setContent(page(body), { waitUntil: 'load' });
  await tab.waitForTimeout(200);
  return { tab, complaints };
}

/** The accessibility tree of the picture, in reading order, without what is ignored. */
async function tree(tab) {
  const session = await tab.context().newCDPSession(tab);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  const by = new Map(nodes.map((node) => [node.nodeId, node]));
  const all = [];
  const walk = (node) => {
    if (!node.ignored) all.push({ role: node.role?.value, name: node.name?.value ?? '', about: node.description?.value ?? '' });
    for (const child of node.childIds ?? []) if (by.has(child)) walk(by.get(child));
  };
  walk(nodes[0]);
  return all;
}

for (const [script, ...options] of [
  ['examples/kafka-deep-dive.ts'], ['examples/kafka-deep-dive.ts', '--still'], ['examples/nested-vpc.ts'],
  ['examples/web-shop.ts', '--text', 'outlines'],
]) {
  const told = [script, ...options].join(' ');
  const svg = render(script, ...options);
  const { tab, complaints } = await open(svg);
  check(`${told}: nothing is blocked by a strict policy`, complaints.length === 0, complaints.join(' | '));
  const seen = await tree(tab);
  const picture = seen.find((node) => node.role === 'graphics-document');
  check(`${told}: the picture has a name and says what happens`, picture?.name && picture.about.length > 20, JSON.stringify(picture));
  const parts = await tab.evaluate(() => [...document.querySelectorAll('[id^=node-],[id^=group-],[id^=edge-]')]
    .map((part) => ({ id: part.id, name: part.querySelector('title')?.textContent ?? '', role: part.getAttribute('role') })));
  const named = seen.filter((node) => ['graphics-object', 'graphics-symbol'].includes(node.role));
  let from = 0;
  const lost = parts.filter(({ name, role }) => {
    const at = named.findIndex((node, index) => index >= from && node.name === name && node.role === role && name !== '');
    if (at >= 0) from = at + 1;
    return at < 0;
  });
  check(`${told}: each of ${parts.length} groups, nodes and edges has a role and a name, in the order of the file`,
    parts.length > 3 && lost.length === 0, JSON.stringify(lost));
  const twice = parts.length - new Set(parts.map(({ id }) => id)).size;
  check(`${told}: no id is given twice`, twice === 0, String(twice));
  const anonymous = named.filter((node) => node.name === '');
  check(`${told}: nothing with a role is without a name`, anonymous.length === 0, String(anonymous.length));
  await tab.close();

  const image = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
  const shown = await open(`<img alt="" style="width:640px" src="${image}">`);
  const width = await shown.tab.evaluate(() => document.images[0].naturalWidth);
  const pixels = await shown.tab.screenshot({ clip: { x: 0, y: 0, width: 640, height: 300 } });
  check(`${told}: it shows as an image under the same policy`,
    width > 0 && pixels.length > 10_000 && shown.complaints.length === 0, `${width} px, ${pixels.length} bytes`);
  await shown.tab.close();
}

const fonts = await open(render('examples/single-edge.ts', '--still'));
const loaded = await fonts.tab.evaluate(async () => {
  await document.fonts.ready;
  return [...document.fonts].map((font) => font.status);
});
check('embedded fonts load', loaded.length > 0 && loaded.every((status) => status === 'loaded'), loaded.join());
await fonts.tab.close();

const own = await open(`<style>svg{--tm-ink:#ff0000} .tm-node rect{stroke:#00ff00}</style>${render('examples/single-edge.ts', '--still')}`);
const colours = await own.tab.evaluate(() => [
  getComputedStyle(document.querySelector('.tm-node text')).fill,
  getComputedStyle(document.querySelector('[id^=node-] rect[stroke]')).stroke,
]);
check('a page recolours by custom property and by class', colours.join() === 'rgb(255, 0, 0),rgb(0, 255, 0)', colours.join());
await own.tab.close();

await browser.close();
console.log(failures === 0 ? 'all is well' : `${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
