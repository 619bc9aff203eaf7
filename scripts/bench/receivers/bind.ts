import { fillSample } from '../../fill-sample.ts';
import type { StartReceiver } from './receiver.ts';
import { sampleValues, startReceiver } from './start-receiver.ts';

/** BIND that enforces a policy zone as the samples of config/ have it. */
export const startBindReceiver: StartReceiver = ({ own, folder, primary, upstream }) => {
  const values = sampleValues(primary);
  const configuration = `
options { directory "${folder}"; listen-on port ${own.port} { ${own.address}; }; listen-on-v6 { none; };
  pid-file none; lock-file none; session-keyfile none; dnssec-validation no; empty-zones-enable no;
  recursion yes; forward only; forwarders { ${upstream.address} port ${upstream.port}; };
  ${fillSample('bind/sluice-policy.conf', values)}
};
controls { };
${fillSample('bind/sluice-policy-zone.conf', values)}`;
  return startReceiver({
    program: 'named',
    options: ['-g', '-c'],
    configuration,
    folder,
    own,
  });
};
