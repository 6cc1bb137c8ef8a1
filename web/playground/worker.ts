// The worker in which scripts are compiled and drawn: it passes bytes between the page and the wasm module, whose other half is
// crates/studio/src/page.rs. A script never meets this scope: it runs in an engine inside the module.
import type { Answer, Question } from './studio';

interface Exports {
  memory: WebAssembly.Memory;
  tm_studio_room(count: number): number;
  tm_studio_player(): void;
  tm_studio_engine(): void;
  tm_studio_compile(): number;
  tm_studio_give_up(): void;
  tm_studio_make(): number;
  tm_studio_made(): number;
  tm_studio_made_length(): number;
  tm_studio_told(): number;
  tm_studio_told_length(): number;
}

const page = self as unknown as {
  onmessage: (event: MessageEvent<WebAssembly.Module | Question>) => void;
  postMessage(message: Answer | string, transfer: Transferable[]): void;
};
let studio: Promise<Exports>;

page.onmessage = ({ data }) => {
  if (data instanceof WebAssembly.Module) {
    studio = WebAssembly.instantiate(data, { env: { __rquickjs_host_now_us: () => performance.now() * 1000 } }).then(({ exports }) => exports as unknown as Exports);
  } else void answer(data);
};

async function answer(question: Question): Promise<void> {
  try {
    const wasm = await studio;
    const reply = act(wasm, question);
    page.postMessage(reply, reply.made ? [reply.made.buffer] : []);
  } catch (error) {
    // Only what has no room on the stack any more ends here.
    const deep = error instanceof RangeError || String(error).includes('call stack');
    page.postMessage(deep ? 'the script is nested too deep, or a function calls itself without end' : `the studio broke down: ${String(error)}`, []);
  }
}

function act(wasm: Exports, question: Question): Answer {
  let well = true;
  let made: Answer['made'];
  switch (question.call) {
    case 'parts':
      put(wasm, new TextEncoder().encode(question.player));
      wasm.tm_studio_player();
      put(wasm, new Uint8Array(question.engine));
      wasm.tm_studio_engine();
      return { well, problems: [], printed: [], made, memory: wasm.memory.buffer.byteLength };
    case 'compile':
      put(wasm, new TextEncoder().encode(question.script));
      well = wasm.tm_studio_compile() === 1;
      break;
    case 'give-up':
      put(wasm, new TextEncoder().encode(question.script));
      wasm.tm_studio_give_up();
      well = false;
      break;
    case 'make': {
      const { at, ...order } = question.order;
      put(wasm, new TextEncoder().encode(JSON.stringify(at === undefined ? order : { ...order, at: Math.round(at * 1000) })));
      well = wasm.tm_studio_make() === 1;
      if (well) made = new Uint8Array(wasm.memory.buffer, wasm.tm_studio_made(), wasm.tm_studio_made_length()).slice();
      break;
    }
  }
  const told = new TextDecoder().decode(new Uint8Array(wasm.memory.buffer, wasm.tm_studio_told(), wasm.tm_studio_told_length()));
  const { problems, printed } = JSON.parse(told) as Pick<Answer, 'problems' | 'printed'>;
  return { well, problems, printed, made, memory: wasm.memory.buffer.byteLength };
}

function put(wasm: Exports, bytes: Uint8Array): void {
  const room = wasm.tm_studio_room(bytes.length);
  new Uint8Array(wasm.memory.buffer, room, bytes.length).set(bytes);
}
