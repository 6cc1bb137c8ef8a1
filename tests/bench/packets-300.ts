// 24 services, 30 connections, 300 packets: what a busy film costs a browser.
const topology = new TopologyBuilder(true);
const columns = 6;
for (let row = 0; row < 4; row++) {
  const group = topology.createGroup(`tier-${row}`, { label: `Tier ${row + 1}` });
  for (let column = 0; column < columns; column++) {
    group.addProcess({ id: `s-${row}${column}x`, label: `Service ${row * columns + column + 1}` });
  }
  group.autoResize();
}
const edges: [string, string][] = [];
for (let row = 0; row < 3; row++) {
  for (let column = 0; column < columns; column++) {
    edges.push([`s-${row}${column}x`, `s-${row + 1}${column}x`]);
  }
}
for (let row = 0; row < 3; row++) {
  for (let column = 0; column < 4; column++) {
    edges.push([`s-${row}${column}x`, `s-${row + 1}${column + 1}x`]);
  }
}
for (const [a, b] of edges) topology.connect(a, b, { protocol: 'grpc' });
await topology.apply();

const flow = new FlowBuilder();
flow.scenario('burst', 'Three hundred packets');
for (let wave = 0; wave < 10; wave++) flow.parallel(edges);
return flow;
