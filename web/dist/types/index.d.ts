import { TopomotionViewer } from './element';
export { TopomotionViewer };
export type { Layer } from './ask';
export type { Bundle, Line, Scenario, View } from './bundle';
declare global {
    interface HTMLElementTagNameMap {
        'topomotion-viewer': TopomotionViewer;
    }
}
