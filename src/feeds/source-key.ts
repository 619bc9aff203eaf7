import type { FeedSource } from '../policy/model.ts';

/** What two feeds have in common when they read the same: then one waits for the other. */
export function sourceKey(source: FeedSource): string {
  switch (source.kind) {
    case 'http':
    case 'taxii':
      return source.url;
    case 'file':
      return `file ${source.path}`;
    case 'transfer':
      return `transfer ${source.zone} ${source.address} ${source.port}`;
    case 'upload':
      return '';
  }
}
