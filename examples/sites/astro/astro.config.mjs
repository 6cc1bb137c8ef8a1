import topomotion from 'topomotion-viewer/remark';

export default {
  markdown: { remarkPlugins: [[topomotion, { binary: process.env.TOPOMOTION }]] },
};
