// A script in the page's own address: after the `#`, which no server ever sees.

/** No link holds more than this, bytes of script. */
const LARGEST = 1 << 20;

/** A script as letters for an address. */
export async function pack(script: string): Promise<string> {
  const stream = new Blob([script]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** The script that an address holds; the message of what is thrown is for the reader. */
export async function unpack(letters: string): Promise<string> {
  try {
    const read = atob(letters.replaceAll('-', '+').replaceAll('_', '/'));
    const stream = new Blob([Uint8Array.from(read, (letter) => letter.charCodeAt(0))]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    const reader = stream.getReader();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    // A few letters may unpack to very much.
    for (let size = 0; ;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > LARGEST) throw new Error('too large');
      parts.push(value as Uint8Array<ArrayBuffer>);
    }
    return await new Blob(parts).text();
  } catch {
    throw new Error('the script in this link is damaged, or too large');
  }
}
