// ```topomotion blocks in Markdown and MDX that unified reads: Docusaurus, Astro, Nextra and others.
import { BlockError, draw } from './draw.mjs';

/** @param {import('./draw.mjs').Options} [options] */
export default function remarkTopomotion(options = {}) {
  const walk = (node, file) => {
    for (const [at, child] of (node.children ?? []).entries()) {
      if (child.type === 'code' && child.lang === 'topomotion') node.children[at] = player(child, file, options);
      else walk(child, file);
    }
  };
  return (tree, file) => walk(tree, file);
}

function player(node, file, options) {
  try {
    const { src, still, title } = draw(node.value, node.meta, options);
    return {
      type: 'paragraph',
      data: { hName: 'topomotion-viewer', hProperties: { src, controls: 'controls', loading: 'lazy' } },
      children: [{ type: 'image', url: still, alt: title }],
      position: node.position,
    };
  } catch (error) {
    if (!(error instanceof BlockError)) throw error;
    // The fence itself is a line, too.
    const line = (node.position?.start.line ?? 0) + (error.line ?? 0);
    return file.fail(`topomotion: ${error.message}`, { line, column: error.column ?? 1 }, 'topomotion:block');
  }
}
