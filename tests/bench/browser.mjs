// CPU that a browser spends on one of our animated SVGs inside an <img>, per painted frame.
//
//     npm install --no-save playwright-core
//     node tests/bench/browser.mjs film.svg [seconds]
//
// Uses Debian's Chromium, headless, without a GPU. CPU is read from /proc for every process of the browser; frames are
// counted with requestAnimationFrame while the picture plays.
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const [file, seconds = '10'] = process.argv.slice(2);
if (!file) throw new Error('usage: node tests/bench/browser.mjs FILM.svg [SECONDS]');
const svg = readFileSync(file);
const server = createServer((request, response) => {
  if (request.url === '/film.svg') return response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(svg);
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end('<!doctype html><body style="margin:0"><img src="film.svg" style="width:1280px;height:720px">');
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
await page.goto(`http://127.0.0.1:${server.address().port}/`, { waitUntil: 'load' });
await page.waitForTimeout(1500);

/** CPU in ms of all processes below this one, by their Chromium type. */
function cpu() {
  const stats = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (!command.includes('chrom')) continue;
      const type = /--type=([\w-]+)/.exec(command)?.[1] ?? 'browser';
      stats.set(type, (stats.get(type) ?? 0) + (Number(fields[11]) + Number(fields[12])) * 10);
    } catch { /* the process has just ended */ }
  }
  return stats;
}

const before = cpu();
const frames = await page.evaluate((ms) => new Promise((done) => {
  let count = 0;
  const start = performance.now();
  const step = (now) => (now - start < ms ? (count++, requestAnimationFrame(step)) : done(count));
  requestAnimationFrame(step);
}), Number(seconds) * 1000);
const after = cpu();
const spent = (type) => ((after.get(type) ?? 0) - (before.get(type) ?? 0)) / frames;
console.log(`${file}: ${(frames / Number(seconds)).toFixed(1)} frames/s, CPU per frame: renderer ` +
  `${spent('renderer').toFixed(1)} ms, gpu process (software raster) ${spent('gpu-process').toFixed(1)} ms`);
await browser.close();
server.close();
