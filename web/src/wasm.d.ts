declare module '*.wasm' {
  /** The bytes of the module; esbuild's `binary` loader puts them here. */
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
