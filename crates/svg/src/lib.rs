//! Still and animated SVG.
