// One system in two layers: the monolith that is, and the services that will be.
// What carries no layer is always there; a player shows one pill for each layer.
const topology = new TopologyBuilder();
topology.title('From the monolith to services');

topology.createProcess({ id: 'client', label: 'Client', icon: 'browser', external: true });
topology.createProcess({ id: 'gateway', label: 'Gateway', icon: 'router' });
topology.connect('client', 'gateway', { protocol: 'https' });

const v1 = topology.createGroup('monolith', { label: 'Version 1', layer: 'v1' }).autoResize();
v1.addProcess({ id: 'shop', label: 'Shop (Monolith)', icon: 'server' })
  .newRow()
  .addProcess({ id: 'shop-db', label: 'Shop Database', shape: 'cylinder' });

const v2 = topology.createGroup('services', { label: 'Version 2' }).autoResize().layer('v2');
for (const name of ['orders', 'stock', 'users']) {
  v2.addProcess({ id: name, label: name[0].toUpperCase() + name.slice(1), icon: 'api' });
}
v2.newRow();
for (const name of ['orders', 'stock', 'users']) {
  v2.addProcess({ id: `${name}-db`, label: `${name} data`, shape: 'cylinder' });
}

topology.connect('gateway', 'shop', { protocol: 'http', layer: 'v1' });
topology.connect('shop', 'shop-db', { protocol: 'mysql' });
for (const name of ['orders', 'stock', 'users']) {
  topology.connect('gateway', name, { protocol: 'grpc', layer: 'v2' });
  topology.connect(name, `${name}-db`, { protocol: 'postgresql' });
}
topology.connect('orders', 'stock', { protocol: 'grpc', label: 'reserve' });

await topology.apply();

const flow = new FlowBuilder();

flow
  .scenario('order-v1', 'An order, version 1', 'One process does it all.', { layer: 'v1' })
  .from('client')
  .to('gateway')
  .to('shop')
  .to('shop-db')
  .showMessage('[COMMIT] order, stock and user in one transaction')
  .to('shop')
  .to('gateway')
  .to('client');

flow
  .scenario('order-v2', 'An order, version 2', 'Three services, each with data of its own.', { layer: 'v2' })
  .from('client')
  .to('gateway')
  .parallel([
    ['gateway', 'orders'],
    ['gateway', 'users'],
  ])
  .from('orders')
  .to('stock')
  .to('stock-db')
  .showError('[CONFLICT] the last one was sold a moment ago')
  .to('stock')
  .to('orders')
  .showMessage('[REJECTED] out of stock')
  .to('gateway')
  .to('client');

return flow;
