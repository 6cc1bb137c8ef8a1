// The element, on every page. Where the site is built there are no elements, and the import does nothing.
import 'topomotion-viewer';

export { default } from 'vitepress/theme';
