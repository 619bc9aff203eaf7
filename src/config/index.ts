/**
 * What lives here: the files that people write before the server starts (configuration, sample
 * catalogue), the one table that describes every setting, and errors that name file, line and rule.
 *
 * What doesn't: anything that the settings do. Only the files directly in src/ and cli/ read a
 * Config; each other room declares options of its own, which they fill. Indicators in the sample catalogue are text
 * here; they are parsed where every target's are.
 */

export { loadFeedPresets } from './feed-presets.ts';
export { type LoadConfigOptions, loadConfig, parseConfig } from './load-config.ts';
export {
  type DnsTlsFiles,
  loadClientSecret,
  loadCookieSecrets,
  loadDnsTls,
  loadTlsIdentity,
} from './named-files.ts';
export { loadNeverBlock, type NeverBlock, parseNeverBlock } from './never-block.ts';
export { ConfigurationError, type Position, type Problem } from './problem.ts';
export {
  loadBuiltInTargets,
  loadSampleCatalogue,
  type SampleBundle,
  type SampleCatalogue,
  type SampleDevice,
  type SamplePolicy,
} from './sample-catalogue.ts';
export { renderSampleFile } from './sample-file.ts';
export type { SampleTarget } from './sample-target-file.ts';
export { type Config, SETTINGS } from './settings.ts';
