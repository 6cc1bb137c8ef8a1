// Registers <topomotion-viewer>.
import { TopomotionViewer } from './element';

export { TopomotionViewer };
export type { Layer } from './ask';
export type { Bundle, Line, Scenario, View } from './bundle';

declare global {
  interface HTMLElementTagNameMap { 'topomotion-viewer': TopomotionViewer }
}

// Where there is no document (a site that is built on a server) there is nothing to register.
if (typeof customElements !== 'undefined' && !customElements.get('topomotion-viewer')) {
  customElements.define('topomotion-viewer', TopomotionViewer);
}
