// ```topomotion blocks in Markdown that markdown-it reads: VitePress, Eleventy and others. VitePress needs to know the
// element, too: `vue: { template: { compilerOptions: { isCustomElement: (tag) => tag === 'topomotion-viewer' } } }`.
import { BlockError, draw } from './draw.mjs';

/** @param {import('markdown-it').default} md @param {import('./draw.mjs').Options} [options] */
export default function markdownItTopomotion(md, options = {}) {
  const others = md.renderer.rules.fence;
  md.renderer.rules.fence = (tokens, index, settings, env, self) => {
    const { info, content, map } = tokens[index];
    const [language, ...meta] = info.trim().split(/\s+/);
    if (language !== 'topomotion') return others(tokens, index, settings, env, self);
    try {
      const { src, still, title } = draw(content, meta.join(' '), options);
      const text = md.utils.escapeHtml;
      return `<topomotion-viewer src="${text(src)}" controls loading="lazy"><img src="${text(still)}" alt="${text(title)}"></topomotion-viewer>\n`;
    } catch (error) {
      if (!(error instanceof BlockError)) throw error;
      const line = (map?.[0] ?? 0) + 1 + (error.line ?? 0);
      throw new Error(`${env?.relativePath ?? env?.path ?? 'document'}:${line}:${error.column ?? 1}: topomotion: ${error.message}`);
    }
  };
}
