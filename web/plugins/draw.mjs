// Draws a block of a document with the command line: a film for the player, and a still for everybody else.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} Options
 * @property {string} [binary] the command line; `topomotion` by default
 * @property {string} [out] the folder that is served, where films go; `public/topomotion` by default
 * @property {string} [url] under which the site serves that folder; `/topomotion/` by default
 */

/** A block that cannot be drawn: why, and where, counted from the block's first line. */
export class BlockError extends Error {
  name = 'BlockError';

  constructor(message, line, column) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

/** `scenario=failover title="A broker dies"`, what stands behind a fence's language, as pairs. */
export function attributes(meta = '') {
  const pairs = {};
  for (const [, name, quoted, plain] of (meta ?? '').matchAll(/([\w-]+)(?:=(?:"([^"]*)"|(\S+)))?/g)) pairs[name] = quoted ?? plain ?? '';
  return pairs;
}

/**
 * Draws a block, unless this very block was drawn before.
 *
 * @param {string} code the script
 * @param {string} meta what stands behind the language
 * @param {Options} options
 * @returns {{ src: string, still: string, title: string, scenario?: string }} addresses of the film and the still
 */
export function draw(code, meta, { binary = 'topomotion', out = 'public/topomotion', url = '/topomotion/' } = {}) {
  const { title = '', scenario, theme } = attributes(meta);
  const run = (...words) => {
    try {
      return execFileSync(binary, ['--color=never', 'render', '-', '-o', '-', ...words], { input: code, stdio: 'pipe', maxBuffer: 64 << 20 });
    } catch (error) {
      if (error.code === 'ENOENT') throw new BlockError(`there is no ${binary}: install topomotion, or say where it is (binary)`);
      const told = String(error.stderr ?? error).trim();
      const [, line, column] = told.match(/^\S*?:(\d+):(\d+): error/m) ?? [];
      throw new BlockError(told, line && Number(line), column && Number(column));
    }
  };
  const name = createHash('sha256').update(JSON.stringify([code, scenario, theme])).digest('hex').slice(0, 16);
  const files = { film: `${name}.topo.json`, still: `${name}.svg` };
  if (!existsSync(join(out, files.film)) || !existsSync(join(out, files.still))) {
    const wishes = [...(scenario ? ['--scenario', scenario] : []), ...(theme ? ['--theme', theme] : [])];
    const film = run('--format=bundle', ...wishes);
    const still = run('--format=svg', '--still', ...(theme ? ['--theme', theme] : []));
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, files.film), film);
    writeFileSync(join(out, files.still), still);
  }
  return { src: url + files.film, still: url + files.still, title: title || 'A diagram that moves' };
}
