// Sites of VitePress (markdown-it) and Astro (remark), and a small Vite site: built, and opened in a real Chromium.
//
//     node tests/browser/sites.mjs [path of the topomotion binary] [folder for screenshots]
//
// Each is built from examples/sites with the npm package as it would be published. Where npm reaches no registry, it says so.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { extname, join } from 'node:path';
import { binary, check, end, folder, root, shoot, tabOf } from './harness.mjs';

/** How long npm may take, ms: what it fetches is large. */
const PATIENCE = 150_000;
const KINDS = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json', '.gz': 'application/gzip' };

const npm = (cwd, ...words) => String(execFileSync('npm', [...words, '--silent', '--no-audit', '--no-fund'], { cwd, timeout: PATIENCE, stdio: 'pipe' }));
const tarball = join(folder, npm(join(root, 'web'), 'pack', '--ignore-scripts', '--pack-destination', folder).trim());

/** A copy of an example with its packages; nothing, and a loud word, without a registry. */
function prepare(name, files) {
  const project = join(folder, name);
  if (files) {
    mkdirSync(project);
    for (const [file, text] of Object.entries(files)) writeFileSync(join(project, file), text);
  } else cpSync(join(root, 'examples/sites', name), project, { recursive: true });
  const about = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  about.dependencies['topomotion-viewer'] = `file:${tarball}`;
  writeFileSync(join(project, 'package.json'), JSON.stringify(about));
  try {
    npm(project, 'install');
    return project;
  } catch (error) {
    console.error(`SKIPPED: npm cannot install what a site of ${name} needs: it was NOT checked: ${String(error.stderr ?? error).slice(0, 200)}`);
    return undefined;
  }
}

const build = (project) => execFileSync('npm', ['run', 'build', '--silent'], { cwd: project, env: { ...process.env, TOPOMOTION: binary, ASTRO_TELEMETRY_DISABLED: '1' }, timeout: PATIENCE, stdio: 'pipe' });

/** Serves a folder. */
async function serve(from) {
  const server = http.createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://x').pathname);
    let file = join(from, path);
    if (existsSync(file) && statSync(file).isDirectory()) file = join(file, 'index.html');
    const found = existsSync(file);
    response.writeHead(found ? 200 : path === '/favicon.ico' ? 204 : 404, { 'content-type': `${KINDS[extname(file)] ?? 'application/octet-stream'}; charset=utf-8` });
    response.end(found ? readFileSync(file) : '');
  }).listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

async function opened(name, from) {
  const site = await serve(from);
  const { tab, complaints, close } = await tabOf();
  await tab.goto(site.url);
  const plays = await tab.waitForFunction(() => document.querySelector('topomotion-viewer')?.duration > 0, undefined, { timeout: 20_000 }).then(() => true, () => false);
  const text = await tab.textContent('body');
  await shoot(tab, name);
  await close();
  site.close();
  return { plays, text, complaints };
}

for (const [name, page, out] of [['vitepress', 'index.md', '.vitepress/dist'], ['astro', 'src/pages/index.md', 'dist']]) {
  const start = performance.now();
  const project = prepare(name);
  if (!project) continue;
  build(project);
  const { plays, text, complaints } = await opened(name, join(project, out));
  check(`${name}: a block becomes a player, and other blocks stay (${((performance.now() - start) / 1000).toFixed(0)} s)`, plays && text.includes('const other = 1;') && complaints.length === 0, complaints.join(' | '));
  const source = readFileSync(join(project, page), 'utf8');
  const wrong = source.replace("connect('browser', 'server'", "connect('browser', 'servant'");
  writeFileSync(join(project, page), wrong);
  const line = wrong.split('\n').findIndex((one) => one.includes('servant')) + 1;
  let told = '';
  try {
    build(project);
  } catch (error) {
    told = `${error.stdout}${error.stderr}`;
  }
  check(`${name}: a block that does not compile fails the build at its line`, new RegExp(`\\b${line}:`).test(told) && told.includes('servant'), told.slice(0, 600));
}

// A site of one's own: the package through a bundler, the film beside it.
{
  const project = prepare('vite', {
    'package.json': '{ "private": true, "type": "module", "scripts": { "build": "vite build" }, "dependencies": { "vite": "6.4.6" } }',
    'index.html': '<!doctype html><html lang="en"><title>A site</title><topomotion-viewer src="/film.topo.json" controls></topomotion-viewer><script type="module" src="/main.js"></script></html>',
    'main.js': "import 'topomotion-viewer';",
  });
  if (project) {
    mkdirSync(join(project, 'public'));
    execFileSync(binary, ['render', join(root, 'examples/single-edge.ts'), '-o', join(project, 'public/film.topo.json')], { stdio: 'ignore' });
    build(project);
    const { plays, complaints } = await opened('vite', join(project, 'dist'));
    check('vite: the package plays on a site of one’s own', plays && complaints.length === 0, complaints.join(' | '));
  }
  const plain = join(folder, 'plain');
  mkdirSync(plain);
  cpSync(join(root, 'web/dist/topomotion-viewer.js'), join(plain, 'topomotion-viewer.js'));
  execFileSync(binary, ['render', join(root, 'examples/single-edge.ts'), '-o', join(plain, 'film.topo.json')], { stdio: 'ignore' });
  writeFileSync(join(plain, 'index.html'), '<!doctype html><html lang="en"><title>A page</title><topomotion-viewer src="film.topo.json" controls></topomotion-viewer><script type="module" src="topomotion-viewer.js"></script></html>');
  const { plays, complaints } = await opened('plain', plain);
  check('a plain page: one script, one film', plays && complaints.length === 0, complaints.join(' | '));
}
await end();
