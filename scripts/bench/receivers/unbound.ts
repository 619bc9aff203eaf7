import { fillSample } from '../../fill-sample.ts';
import type { StartReceiver } from './receiver.ts';
import { sampleValues, startReceiver } from './start-receiver.ts';

/** Unbound that enforces a policy zone as the sample of config/ has it. */
export const startUnboundReceiver: StartReceiver = ({ own, folder, primary, upstream }) => {
  const configuration = `
server:
  interface: ${own.address}@${own.port}
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  do-not-query-localhost: no
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  verbosity: 1
  num-threads: 1
  qname-minimisation: no
remote-control:
  control-enable: no
${fillSample('unbound/sluice-rpz.conf', sampleValues(primary))}
forward-zone:
  name: "."
  forward-addr: ${upstream.address}@${upstream.port}
`;
  return startReceiver({
    program: 'unbound',
    options: ['-d', '-p', '-c'],
    configuration,
    folder,
    own,
  });
};
