// What the tests in a browser share: Chromium, packages, a site with a strict policy, and what is checked.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const binary = resolve(process.argv[2] ?? join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/topomotion'));
export const shots = process.argv[3];
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(executablePath)) {
  console.error(`SKIPPED: no Chromium at ${executablePath}: NOTHING was checked (apt-get install chromium, or set CHROMIUM)`);
  process.exit(0);
}

/** A folder for this run alone; processes that end with it. */
export const folder = mkdtempSync(join(tmpdir(), 'topomotion-browser-'));
export const running = [];
process.on('exit', () => {
  for (const one of running) one.kill();
  rmSync(folder, { recursive: true, force: true });
});
const limit = Number(process.env.LIMIT ?? 300);
setTimeout(() => {
  console.error(`FAIL it took longer than ${limit} s`);
  process.exit(1);
}, 1000 * limit).unref();

/** Loads packages: those that are installed, or fetched for this run. */
function packages(...names) {
  try {
    const require = createRequire(import.meta.url);
    return [require, names.map((name) => require(name))];
  } catch {
    execFileSync('npm', ['install', '--silent', '--no-save', '--prefix', folder, ...names], { stdio: ['ignore', 'ignore', 'inherit'] });
    const require = createRequire(join(folder, 'node_modules/'));
    return [require, names.map((name) => require(name))];
  }
}

let failures = 0;
export function check(what, holds, found = '') {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}${holds ? '' : `: ${found}`}`);
  failures += holds ? 0 : 1;
}

export function render(script, out, ...options) {
  const file = join(folder, out);
  execFileSync(binary, ['render', join(root, 'examples', script), '-o', file, ...options], { stdio: 'ignore' });
  return file;
}

const [require, [{ chromium }]] = packages('playwright-core', 'axe-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
export const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });

/** A site with a strict policy. What it serves is put into `served` by path. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; require-trusted-types-for 'script'";
export const served = new Map([
  ['/player.js', { kind: 'text/javascript', body: readFileSync(join(root, 'web/dist/topomotion-viewer.js')) }],
  ['/site.css', { kind: 'text/css', body: 'body { margin: 24px; font: 16px sans-serif; color: #1f2328 } html.dark { background: #0d1117 } html.dark body { color: #e6edf3 }' }],
]);
const site = http.createServer((request, response) => {
  const path = new URL(request.url, 'http://x').pathname;
  if (path === '/favicon.ico') return response.writeHead(204).end();
  const found = served.get(path);
  response.writeHead(found ? 200 : 404, { 'content-type': `${found?.kind ?? 'text/plain'}; charset=utf-8`, 'content-security-policy': POLICY });
  response.end(found?.body ?? 'not here');
}).listen(0, '127.0.0.1');
await new Promise((done) => site.once('listening', done));
export const origin = `http://127.0.0.1:${site.address().port}`;

/** A tab, and what the browser complained of in it. */
export async function tabOf({ width = 1280, height = 900, dark = false } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', acceptDownloads: true });
  const tab = await context.newPage();
  const complaints = [];
  tab.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
  tab.on('pageerror', (error) => complaints.push(String(error)));
  return { tab, complaints, close: () => context.close() };
}

/** A page of the site with this body. */
export async function open(body, { dark = false, entry = '/player.js', ...options } = {}) {
  served.set('/', { kind: 'text/html', body: `<!doctype html><html lang="en" class="${dark ? 'dark' : ''}"><title>t</title>` +
    `<link rel="stylesheet" href="/site.css"><main><h1>Docs</h1>${body}</main><script type="module" src="${entry}"></script></html>` });
  const opened = await tabOf({ dark, ...options });
  await opened.tab.goto(`${origin}/`);
  return opened;
}

export const ready = (tab) => tab.waitForFunction(() => [...document.querySelectorAll('topomotion-viewer')].every((viewer) => viewer.duration > 0));
export const on = (tab, act, value) => tab.locator('topomotion-viewer').first().evaluate(act, value);
export const shoot = async (tab, name) => shots && tab.screenshot({ path: join(shots, `${name}.png`) });

/** What axe-core finds. */
export async function violations(tab) {
  await tab.evaluate(axe);
  const found = await tab.evaluate(async () => (await window.axe.run(document, { resultTypes: ['violations'] })).violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`));
  return found.join(' | ');
}

/** The end: says how it went. */
export async function end() {
  await browser.close();
  site.close();
  console.log(failures === 0 ? 'all is well' : `${failures} failed`);
  process.exit(failures === 0 ? 0 : 1);
}
