// Any system, any story: the packets go where you say.
const topology = new TopologyBuilder(true);

topology.createProcess({ id: 'browser', label: 'Browser', icon: 'browser', external: true });
topology.createGroup('backend', { label: 'Backend' })
  .addProcess({ id: 'api', label: 'API', icon: 'api' })
  .newRow()
  .addProcess({ id: 'cache', label: 'Cache', icon: 'cache' })
  .addProcess({ id: 'database', label: 'Orders', shape: 'cylinder' })
  .autoResize();

// The left one dials the right one; answers travel back on the same edge.
topology.connect('browser', 'api', { protocol: 'https', label: 'GET /orders/1' });
topology.connect('api', 'cache', { protocol: 'redis', label: 'get' });
topology.connect('api', 'database', { protocol: 'postgresql', label: 'select' });

await topology.apply();

const flow = new FlowBuilder();

flow.scenario('miss', 'A cache miss', 'The first reader pays for all the others.')
  .from('browser').to('api').to('cache')
  .showMessage('[MISS] not here yet')
  .to('api').to('database').to('api')
  .parallel([['api', 'cache'], ['api', 'browser']]);

flow.scenario('down', 'The database is down')
  .setState('database', 'error')
  .from('browser').to('api').to('cache').to('api').to('database')
  .showError('connection refused')
  .from('api').to('browser');

return flow;
