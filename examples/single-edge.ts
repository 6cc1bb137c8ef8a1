// The smallest diagram that moves.
const topology = new TopologyBuilder();
topology.createProcess({ id: 'browser', label: 'Browser', icon: 'browser' });
topology.createProcess({ id: 'server', label: 'Server', icon: 'server' });
topology.connect('browser', 'server', { protocol: 'https', label: 'GET /' });
await topology.apply();

return new FlowBuilder()
  .scenario('request', 'A request, and one that fails')
  .from('browser')
  .to('server')
  .showMessage('[200] hello')
  .to('browser')
  .to('server')
  .showError('[500] sorry')
  .to('browser');
