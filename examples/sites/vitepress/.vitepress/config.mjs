import topomotion from 'topomotion-viewer/markdown-it';

export default {
  title: 'A site of VitePress',
  markdown: { config: (md) => { md.use(topomotion, { binary: process.env.TOPOMOTION }); } },
  vue: { template: { compilerOptions: { isCustomElement: (tag) => tag === 'topomotion-viewer' } } },
};
