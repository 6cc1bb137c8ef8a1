// What the player costs: the first frame after a bundle has arrived, a frame with many packets, and doing nothing.
//
//     npm install --no-save playwright-core
//     cargo run --release -p topomotion-viewer --example busy > busy.topo.json      (500 packets in flight)
//     node tests/bench/player.mjs busy.topo.json [seconds]
//
// 1280 × 720 at two device pixels a px, headless, without a GPU. Frame time is what the page's own thread spends on a frame.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const [file, seconds = '10'] = process.argv.slice(2);
if (!file) throw new Error('usage: node tests/bench/player.mjs FILM.topo.json [SECONDS]');
const files = {
  '/film.json': ['application/json', readFileSync(file)],
  '/player.js': ['text/javascript', readFileSync(new URL('../../web/dist/topomotion-viewer.js', import.meta.url))],
  '/': ['text/html', '<!doctype html><body style="margin:0"><script type="module" src="player.js"></script>'],
};
const server = createServer((request, response) => {
  const [kind, body] = files[request.url] ?? ['text/plain', ''];
  response.writeHead(files[request.url] ? 200 : 404, { 'content-type': kind }).end(body);
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, deviceScaleFactor: 2 });
await page.goto(`http://127.0.0.1:${server.address().port}/`, { waitUntil: 'load' });

const firsts = [];
for (let turn = 0; turn < 7; turn++) {
  firsts.push(await page.evaluate(async () => {
    const text = await (await fetch('film.json')).text();
    document.querySelector('topomotion-viewer')?.remove();
    const viewer = document.createElement('topomotion-viewer');
    viewer.style.width = '1280px';
    document.body.append(viewer);
    const start = performance.now();
    const there = new Promise((done) => viewer.addEventListener('ready', done, { once: true }));
    viewer.bundle = JSON.parse(text);
    await there;
    return performance.now() - start;
  }));
}
const times = await page.evaluate((ms) => new Promise((done) => {
  const viewer = document.querySelector('topomotion-viewer');
  const ask = window.requestAnimationFrame;
  const spent = [];
  window.requestAnimationFrame = (act) => ask((now) => {
    const start = performance.now();
    act(now);
    spent.push(performance.now() - start);
  });
  viewer.loop = true;
  viewer.play();
  setTimeout(() => { viewer.pause(); done(spent); }, ms);
}), Number(seconds) * 1000);
const idle = await page.evaluate(() => new Promise((done) => {
  let frames = 0;
  const ask = window.requestAnimationFrame;
  window.requestAnimationFrame = (act) => { frames += 1; return ask(act); };
  setTimeout(() => done(frames), 1000);
}));
const at = (all, part) => [...all].sort((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * part))];
console.log(`first frame ${at(firsts, 0.5).toFixed(0)} ms after the bundle (${Math.max(...firsts).toFixed(0)} at worst); ` +
  `${(times.length / Number(seconds)).toFixed(0)} frames/s, frame ${at(times, 0.5).toFixed(1)} ms, p95 ${at(times, 0.95).toFixed(1)} ms; frames while paused: ${idle}`);
await browser.close();
server.close();
