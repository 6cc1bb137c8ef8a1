// What readers learn by pointing, what they may hide, and the playground, in a real Chromium.
//
//     node tests/browser/playground.mjs [path of the topomotion binary] [folder for screenshots]
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { binary, check, end, folder, on, open, origin, ready, render, root, running, served, shoot, tabOf, violations } from './harness.mjs';

const json = (file) => ({ kind: 'application/json', body: readFileSync(file) });

// -- Packets, processes, connections ------------------------------------------------------------------------------------
served.set('/deep.topo.json', json(render('kafka-deep-dive.ts', 'deep.topo.json')));
for (const dark of [false, true]) {
  const { tab, complaints, close } = await open('<topomotion-viewer src="/deep.topo.json" controls></topomotion-viewer>', { dark });
  await ready(tab);
  await on(tab, (viewer) => { viewer.scenario = viewer.scenarios[0].id; viewer.currentTime = 5.5; viewer.focus(); });
  const card = tab.getByRole('region', { name: 'Details' });
  await tab.keyboard.press('i');
  check('a key opens the details of a process', await card.isVisible() && (await card.textContent()).includes('state'));
  const options = await card.locator('optgroup').evaluateAll((groups) => groups.map((group) => [group.label, group.children.length]));
  check('processes and connections can be chosen from', options.some(([name, count]) => name === 'Processes' && count > 8) && options.some(([name]) => name === 'Connections'), JSON.stringify(options));
  const choice = card.getByRole('combobox');
  await choice.selectOption(await card.locator('option', { hasText: /^Broker 1/ }).first().getAttribute('value'));
  const broker = () => card.locator('.told').textContent();
  const before = await broker();
  check('a broker tells its partitions, offsets and epochs', /orders-0leader, epoch \d+, log end \d+, high watermark \d+, in sync: /.test(before), before);
  await on(tab, (viewer) => { viewer.scenario = 'leader-election'; viewer.currentTime = 14; });
  check('and otherwise when time has passed', (await broker()).includes('statedown'), await broker());
  await choice.selectOption(await card.locator('optgroup[label=Connections] option').first().getAttribute('value'));
  check('a connection tells what it is, and what goes along it', /dials.*protocol.*in this film/.test(await broker()), await broker());
  await shoot(tab, dark ? 'details-dark' : 'details-light');
  await tab.keyboard.press('Escape');
  check('Escape closes it', await card.isHidden());
  // A packet, where it is.
  const found = await on(tab, async (viewer) => {
    const stage = viewer.shadowRoot.querySelector('.stage'), tip = viewer.shadowRoot.querySelector('.tip'), box = stage.getBoundingClientRect();
    viewer.scenario = viewer.scenarios[0].id;
    for (const at of [8.5, 5.5, 6.5, 7.5, 9.5]) {
      viewer.currentTime = at;
      for (let y = box.top + 40; y < Math.min(box.bottom, innerHeight) - 60; y += 8) {
        for (let x = box.left + 10; x < box.right - 10; x += 10) {
          stage.dispatchEvent(new PointerEvent('pointermove', { clientX: x, clientY: y, bubbles: true }));
          if (!tip.hidden && tip.textContent.includes('way: ')) return { x, y, text: tip.textContent };
        }
      }
    }
    return undefined;
  });
  check('a packet under the pointer tells its size and its time', /size: \d+ bytes.*left: \d+\.\d{6} s/.test(found?.text ?? ''), found?.text);
  if (found) await tab.mouse.click(found.x, found.y);
  const told = await card.textContent();
  check('a click keeps it, with what it says and which it answers', /(request|response)/.test(told) && told.includes('says') && /number#\d+/.test(told), told);
  check('and the film stands', await on(tab, (viewer) => viewer.paused));
  check('axe-core finds nothing in the details', await violations(tab) === '', await violations(tab));
  check('nothing complains there', complaints.length === 0, complaints.join(' | '));
  await close();
}

// -- Layers ---------------------------------------------------------------------------------------------------------------
served.set('/layers.topo.json', json(render('layers-v1-v2.ts', 'layers.topo.json')));
{
  const { tab, complaints, close } = await open('<topomotion-viewer src="/layers.topo.json" controls layer="v2" time="3"></topomotion-viewer>');
  await ready(tab);
  await tab.waitForFunction(() => document.querySelector('topomotion-viewer').layers.length > 0);
  const shown = () => on(tab, (viewer) => Object.fromEntries(viewer.layers.map(({ name, shown }) => [name, shown])));
  const pixels = () => on(tab, (viewer) => {
    const canvas = viewer.shadowRoot.querySelector('canvas');
    return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.reduce((sum, value, at) => (at % 4 === 0 ? sum + (value < 200 ? 1 : 0) : sum), 0);
  });
  const one = await shown();
  check('the attribute chooses layers of the script', one.v2 === true && one.v1 === false && one.grpc === true, JSON.stringify(one));
  const without = await pixels();
  await on(tab, (viewer) => { window.told = []; viewer.addEventListener('layerchange', ({ detail }) => window.told.push(detail)); });
  await tab.getByRole('button', { name: 'What is shown' }).click();
  await tab.getByRole('button', { name: 'v1', exact: true }).click();
  const both = await pixels();
  check('a pill shows what was hidden', (await shown()).v1 && both > without, `${both} ${without}`);
  await tab.getByRole('button', { name: 'v2', exact: true }).click();
  check('and hides what was shown; the attribute says so, the page is told', await on(tab, (viewer) => viewer.layer) === '-v2' && await tab.evaluate(() => window.told.length) === 2 && await pixels() < both);
  check('the focus stays on the pill', await on(tab, (viewer) => viewer.shadowRoot.activeElement?.textContent) === 'v2');
  await shoot(tab, 'layers');
  check('axe-core finds nothing among the pills', await violations(tab) === '', await violations(tab));
  await on(tab, (viewer) => { viewer.layer = ''; });
  check('without the attribute all is shown', Object.values(await shown()).every(Boolean));
  // That the test itself reads the canvas is no matter.
  const others = complaints.filter((one) => !one.includes('getImageData'));
  check('nothing complains among layers', others.length === 0, others.join(' | '));
  await close();
}

// -- The playground ---------------------------------------------------------------------------------------------------------
const preview = spawn(binary, ['preview', '--playground', '--no-open'], { stdio: ['ignore', 'pipe', 'ignore'] });
running.push(preview);
const url = await new Promise((done) => preview.stdout.once('data', (data) => done(String(data).trim())));
const { port } = new URL(url);
const post = (headers, body = 'const topology = new TopologyBuilder();') => new Promise((done) => {
  const request = http.request({ host: '127.0.0.1', port, path: '/compile', method: 'POST', headers: { 'content-length': Buffer.byteLength(body), ...headers } }, (response) => {
    response.resume();
    done(response.statusCode);
  });
  request.on('error', () => done(0));
  request.end(body);
});
check('other sites can not have a script compiled', await post({ origin: 'https://evil.example' }) === 403 && await post({}) === 403
  && await post({ origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'cross-site' }) === 403 && await post({ host: 'evil.example', origin: `http://127.0.0.1:${port}` }) === 421);
check('and nobody a very large one', await post({ origin: `http://127.0.0.1:${port}`, 'content-length': 9 << 20 }, '') === 413);

const { tab, complaints, close } = await tabOf({ width: 1440, height: 900 });
await tab.goto(url);
const state = tab.locator('#state');
const says = (words) => tab.waitForFunction((words) => new RegExp(words).test(document.getElementById('state').textContent), words);
await says('^drawn');
await ready(tab);
check('the first example is drawn', (await tab.locator('.cm-content').textContent()).includes('TopologyBuilder') && await on(tab, (viewer) => viewer.scenarios.length > 0));
await shoot(tab, 'playground-light');
check('axe-core finds nothing in the playground', await violations(tab) === '', await violations(tab));
const write = async (text) => {
  await tab.locator('.cm-content').click();
  await tab.keyboard.press('ControlOrMeta+a');
  await tab.keyboard.insertText(text);
};
const SMALL = "const topology = new TopologyBuilder();\ntopology.createProcess({ id: 'shop', label: 'Shop' });\ntopology.createProcess({ id: 'db' });\ntopology.connect('shop', 'db', { protocol: 'http' });\n";
await on(tab, (viewer) => { window.seen = viewer.bundle; });
await write(SMALL.replace("'db', {", "'bd', {"));
const problem = tab.getByRole('list', { name: 'Problems' }).getByRole('button').first();
await problem.waitFor();
check('a mistake is told at its place, with what to do, and the picture stays', /^4:\d+/.test(await problem.textContent()) && (await problem.textContent()).includes('did you mean `db`')
  && await on(tab, (viewer) => viewer.bundle === window.seen) && (await state.textContent()).includes('one mistake'), `${await problem.textContent()} ${await state.textContent()}`);
check('and marked in the script', await tab.locator('.cm-lintRange-error').count() > 0);
await shoot(tab, 'playground-mistake');
await problem.click();
check('a click leads there', await tab.locator('.cm-content').evaluate((content) => content === content.getRootNode().activeElement));
await write(SMALL);
await tab.waitForFunction(() => document.querySelector('topomotion-viewer').bundle !== window.seen);
check('it goes away when it is mended', await problem.isHidden() && await tab.locator('.cm-lintRange-error').count() === 0);

const completions = async (text) => {
  await write(SMALL + text);
  await tab.keyboard.press('Control+Space');
  const list = tab.locator('.cm-tooltip-autocomplete li');
  await list.first().waitFor({ timeout: 5000 }).catch(() => {});
  const all = await list.locator('.cm-completionLabel').allTextContents();
  if (text === 'topology.') await shoot(tab, 'playground-completion');
  await tab.keyboard.press('Escape');
  return all;
};
const methods = await completions('topology.');
check('it completes what a builder can do', ['createGroup', 'connect', 'kafka'].every((name) => methods.includes(name)), methods.join());
const chained = await completions("topology.kafka({}).scenario('a').");
check('also after a chain of calls', chained.includes('crash') && chained.includes('waitUntil'), chained.join());
const fields = await completions('topology.createProcess({ id: 1, ');
check('and what an object may hold, but for what it has', fields.includes('shape') && fields.includes('layer') && !fields.includes('id'), fields.join());
await write(`${SMALL}topology.createProcess({ id: 'c', shape: '' });`);
for (let back = 0; back < 5; back++) await tab.keyboard.press('ArrowLeft');
await tab.keyboard.press('Control+Space');
await tab.locator('.cm-tooltip-autocomplete li').first().waitFor({ timeout: 5000 }).catch(() => {});
const words = await tab.locator('.cm-tooltip-autocomplete .cm-completionLabel').allTextContents();
check('and which words a string may be', words.includes('cylinder'), words.join());
await tab.keyboard.press('Escape');

await write(SMALL);
await says('^drawn');
await tab.getByRole('button', { name: 'Copy link' }).click();
await tab.waitForFunction(() => location.hash.startsWith('#code='));
const link = tab.url();
const other = await tabOf();
await other.tab.goto(link);
await other.tab.waitForFunction(() => /^drawn/.test(document.getElementById('state').textContent));
check('a link holds the script, and no server sees it', (await other.tab.locator('.cm-content').innerText()).includes("connect('shop', 'db'") && link.indexOf('#') < link.indexOf('code='));
await other.tab.goto('about:blank');
await other.tab.goto(`${url}#code=AAAA`);
await other.tab.waitForFunction(() => /damaged/.test(document.getElementById('state').textContent));
check('a damaged link is told, and there is something to begin with', (await other.tab.locator('.cm-content').innerText()).length > 100);
await other.close();

for (const [name, ending, begins] of [['SVG, moving', 'svg', '<svg'], ['PNG of this moment', 'png', '\x89PNG'], ['Bundle for a player', 'topo.json', '{"topomotion-bundle"'], ['The script', 'ts', 'const topology']]) {
  await tab.locator('summary').click();
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.getByRole('button', { name }).click()]);
  const text = readFileSync(await download.path(), 'latin1');
  check(`${name}: saved as a file`, download.suggestedFilename() === `topomotion.${ending}` && text.startsWith(begins), `${download.suggestedFilename()} ${text.slice(0, 60)}`);
}

await write('while (true) {}');
await tab.waitForFunction(() => document.getElementById('problems').textContent.includes('did not end'), undefined, { timeout: 20_000 });
check('a script that loops for ever is told', true);
await write(SMALL);
await says('^drawn');
check('and the next one is drawn', await tab.locator('#problems').isHidden());
await tab.getByRole('combobox', { name: 'Example' }).selectOption({ label: 'A web shop, scripted' });
await tab.waitForFunction(() => document.querySelector('topomotion-viewer').bundle.title.includes('shop') || document.querySelector('topomotion-viewer').scenarios.length > 1);
check('an example is a choice away', !tab.url().includes('#'));
check('nothing complains in the playground', complaints.filter((one) => !one.includes('422')).length === 0, complaints.join(' | '));
await close();
for (const [name, options] of [['playground-dark', { dark: true, width: 1440 }], ['playground-narrow', { width: 400, height: 900 }]]) {
  const page = await tabOf(options);
  await page.tab.goto(url);
  await page.tab.waitForFunction(() => /^drawn/.test(document.getElementById('state').textContent));
  await page.tab.waitForTimeout(300);
  await shoot(page.tab, name);
  check(`${name}: fits, and axe-core finds nothing`, await page.tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth) && await violations(page.tab) === '', await violations(page.tab));
  await page.close();
}
preview.kill();

// -- The playground without a server that compiles ------------------------------------------------------------------------------
{
  const KINDS = { html: 'text/html', js: 'text/javascript', css: 'text/css', json: 'application/json', gz: 'application/gzip' };
  const asked = [];
  const files = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    asked.push(`${request.method} ${pathname}`);
    const path = join(root, 'web/dist', pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    try {
      const body = readFileSync(path);
      response.writeHead(200, { 'content-type': KINDS[path.split('.').at(-1)] ?? 'text/plain' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, '127.0.0.1');
  await new Promise((done) => files.once('listening', done));
  const url = `http://127.0.0.1:${files.address().port}/playground/`;
  const { tab, complaints, close } = await tabOf({ width: 1440, height: 900 });
  const says = (words, page = tab) => page.waitForFunction((words) => new RegExp(words).test(document.getElementById('state').textContent), words, { timeout: 60_000 });
  const write = async (text) => {
    await tab.locator('.cm-content').click();
    await tab.keyboard.press('ControlOrMeta+a');
    await tab.keyboard.insertText(text);
  };
  const byCommandLine = (script, ...options) => spawnSync(binary, ['--color=never', 'render', '-o', '-', ...options, '--', '-'], { input: script, maxBuffer: 1 << 28 });
  await tab.goto(url);
  await says('^drawn');
  await ready(tab);
  check('files alone: the first example is drawn in the page', await on(tab, (viewer) => viewer.scenarios.length > 0));
  await shoot(tab, 'static-light');
  check('axe-core finds nothing there', await violations(tab) === '', await violations(tab));

  // What the page says is what the command line says.
  for (const name of ['unknown-method', 'unicode-columns', 'ids-and-options', 'syntax-errors', 'thrown-in-helper', 'missing-global', 'deep-recursion', 'never-settles', 'throws-null', 'endless-loop-in-function', 'too much memory']) {
    const script = name === 'too much memory' ? 'const a = [];\nfor (;;) a.push(new Uint8Array(4 << 20));' : readFileSync(join(root, `crates/script/tests/bad/${name}.ts`), 'utf8');
    const told = byCommandLine(script, '--format=bundle').stderr.toString().split('\n');
    const expected = told.map((line) => /^<stdin>(?::(\d+):(\d+))?: (error|warning)\[[\w-]+\]: (.*)$/.exec(line)).filter(Boolean)
      .map(([, line, column, severity, message]) => `${line ? `${line}:${column}` : severity} ${message}`);
    await write(script);
    await says('mistake');
    const found = await tab.locator('#problems button').evaluateAll((all) => all.map((one) => `${one.querySelector('small').textContent} ${one.querySelector('span').firstChild.textContent}`));
    check(`${name}: the same mistakes at the same places`, expected.length > 0 && JSON.stringify(found) === JSON.stringify(expected), `${JSON.stringify(found)} and not ${JSON.stringify(expected)}`);
    await write(SMALL);
    await says('^drawn');
  }
  await write(readFileSync(join(root, 'crates/script/tests/bad/stuck-in-builtin.ts'), 'utf8'));
  await says('mistake');
  const stuck = await tab.locator('#problems').textContent();
  check('a script that hangs in a built-in is ended from outside, and told at its place', stuck.includes('1:41') && stuck.includes('hung in a built-in'), stuck);
  await write(`const names = Object.getOwnPropertyNames(globalThis).filter((name) => /^(self|window|document|fetch|import.*|postMessage|close|XML.*|Web.*|EventSource|indexedDB|caches|crypto|location|navigator|process|Worker)$/.test(name));
if (names.length) throw new Error(names.join());
${SMALL}`);
  await says('^drawn').catch(() => {});
  check('a script finds neither the page nor the worker nor a network', (await tab.locator('#state').textContent()).startsWith('drawn'), await tab.locator('#problems').textContent());

  // What the page makes is what the command line makes.
  const flow = `${SMALL}new FlowBuilder(topology).scenario('a', 'A').from('shop').to('db').showMessage('hello');\n`;
  for (const [what, script] of [['a flow', flow], ['a run', readFileSync(join(root, 'examples/single-edge.ts'), 'utf8')]]) {
    await write(script);
    await says('^drawn');
    for (const [name, ...options] of [['SVG, moving', '--format=svg', '--theme=auto'], ['GIF of this scenario', '--format=gif'], ['Page with a player', '--format=html', '--live'], ['Bundle for a player', '--format=bundle', '--live']]) {
      const scenario = await on(tab, (viewer) => viewer.scenario);
      if (name.startsWith('GIF') && scenario) options.push(`--scenario=${scenario}`);
      await tab.locator('summary').click();
      const [download] = await Promise.all([tab.waitForEvent('download', { timeout: 60_000 }), tab.getByRole('button', { name }).click()]);
      const found = readFileSync(await download.path());
      const expected = byCommandLine(script, ...options).stdout;
      check(`${what}, ${name}: byte for byte what \`topomotion render\` writes`, expected.length > 0 && found.equals(expected), `${found.length} and ${expected.length} bytes`);
    }
  }

  await write(SMALL);
  await says('^drawn');
  await tab.getByRole('button', { name: 'Copy link' }).click();
  await tab.waitForFunction(() => location.hash.startsWith('#code='));
  const other = await tabOf();
  await other.tab.goto(tab.url());
  await says('^drawn', other.tab);
  check('a link holds the script', (await other.tab.locator('.cm-content').innerText()).includes("connect('shop', 'db'"));
  await other.close();
  check('nothing is asked but for files', asked.every((one) => one.startsWith('GET /') && !one.includes('compile')), asked.join());
  check('nothing complains there either', complaints.length === 0, complaints.join(' | '));
  await close();
  for (const [name, options] of [['static-dark', { dark: true, width: 1440 }], ['static-narrow', { width: 400, height: 900 }]]) {
    const page = await tabOf(options);
    await page.tab.goto(url);
    await says('^drawn', page.tab);
    await shoot(page.tab, name);
    await page.close();
  }
  files.close();
}

// -- The preview, badly treated -----------------------------------------------------------------------------------------------
{
  const script = join(folder, 'draft.ts');
  writeFileSync(script, SMALL);
  const preview = spawn(binary, ['preview', script, '--no-open'], { stdio: ['ignore', 'pipe', 'ignore'] });
  running.push(preview);
  const url = await new Promise((done) => preview.stdout.once('data', (data) => done(String(data).trim())));
  const { tab, complaints, close } = await tabOf();
  await tab.goto(url);
  await tab.waitForFunction(() => document.querySelector('topomotion-viewer').bundle);
  const mistake = tab.locator('#mistake');
  const wrong = (words) => tab.waitForFunction((words) => document.querySelector('#mistake pre').textContent.includes(words) && !document.querySelector('#mistake').hidden, words);
  const right = () => mistake.waitFor({ state: 'hidden' });
  await tab.waitForTimeout(300);
  await on(tab, (viewer) => {
    window.seen = [];
    const [ground, under] = viewer.shadowRoot.querySelectorAll('canvas');
    const middle = () => { const { width, height } = ground; return [...ground.getContext('2d').getImageData(0, height / 2, width, 1).data].reduce((sum, value, at) => (sum * 31 + value * at) % 1e9, 0); };
    const look = () => { window.seen.push([under.style.opacity, middle()]); if (window.seen.length < 400) requestAnimationFrame(look); };
    look();
  });
  writeFileSync(script, `${SMALL}topology.createProcess({ id: 'cache' });\ntopology.connect('shop', 'cache', {});\n`);
  await tab.waitForFunction(() => window.seen.some(([opacity]) => opacity !== '') && window.seen.at(-1)[0] === '');
  const between = await tab.evaluate(() => new Set(window.seen.filter(([opacity]) => opacity !== '').map(([, picture]) => picture)).size);
  check('processes glide to their new places', between >= 3, between);
  writeFileSync(script, SMALL.slice(0, 70));
  await wrong('error');
  writeFileSync(script, SMALL);
  await right();
  check('a file that is half written is told, and then drawn', true);
  renameSync(script, `${script}.away`);
  await wrong('no such file');
  renameSync(`${script}.away`, script);
  await right();
  check('a file that is renamed away is told, and drawn when it is back', true);
  rmSync(script);
  mkdirSync(script);
  await wrong('draft.ts');
  check('what cannot be read is told', true);
  rmSync(script, { recursive: true });
  writeFileSync(script, SMALL);
  await right();
  const start = performance.now();
  for (let save = 0; save < 1000; save++) {
    writeFileSync(script, `${SMALL}// ${save}\n`);
    if (save % 10 === 0) await new Promise((done) => setTimeout(done, Math.max(0, start + 10 * save - performance.now())));
  }
  writeFileSync(script, `${SMALL}topology.title('The last of them');\n`);
  await tab.waitForFunction(() => document.querySelector('topomotion-viewer').bundle.title === 'The last of them');
  check('a thousand saves in ten seconds: the last is shown', await right().then(() => true, () => false), await mistake.textContent());
  const others = complaints.filter((one) => !one.includes('getImageData'));
  check('nothing complains in the preview', others.length === 0, others.join(' | '));
  await close();
  preview.kill();
}

// -- Browsers that lack what it needs -------------------------------------------------------------------------------------------
for (const [what, spoil, words] of [
  ['without WebAssembly', () => { delete window.WebAssembly; }, 'WebAssembly'],
  ['without a canvas', () => { HTMLCanvasElement.prototype.getContext = () => null; }, 'canvas'],
]) {
  const { tab, close } = await tabOf();
  await tab.addInitScript(spoil);
  served.set('/', { kind: 'text/html', body: '<!doctype html><html lang="en"><title>t</title><topomotion-viewer src="/layers.topo.json" controls><p>The still</p></topomotion-viewer><script type="module" src="/player.js"></script></html>' });
  await tab.goto(`${origin}/`);
  const message = tab.locator('topomotion-viewer [part=message]');
  await message.waitFor({ timeout: 5000 }).catch(() => {});
  check(`${what}: said in words, and what stands inside stays`, (await message.textContent()).includes(words) && await tab.getByText('The still').isVisible(), await message.textContent());
  await close();
}
await end();
